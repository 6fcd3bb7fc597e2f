//! Where the configuration comes from, and how it is read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use river_syntax::diag::Renderer;
use river_syntax::{Diagnostic, Source, SourceId, SourceMap, ast};

use crate::error::Error;

/// Where a configuration comes from.
#[derive(Debug, Clone)]
pub enum ConfigSource {
    /// A file, or a folder whose `*.alloy` files are one configuration.
    Path(PathBuf),
    /// The configuration that runs when none is given.
    BuiltIn(String),
}

/// A configuration that was read and parsed.
#[derive(Debug, Default)]
pub struct Config {
    /// The text, for messages.
    pub sources: SourceMap,
    /// The trees, of what could be understood.
    pub files: Vec<ast::File>,
    /// What is wrong with the syntax.
    pub faults: Vec<Diagnostic>,
}

impl ConfigSource {
    /// The built-in configuration: this host's metrics every 15 seconds, pushed to `remote_write_url` where
    /// one is given.
    pub fn built_in(remote_write_url: Option<&str>) -> Self {
        let endpoint = remote_write_url.map_or_else(String::new, |url| {
            let url = url
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            format!("\n  endpoint {{\n    url = \"{url}\"\n  }}\n")
        });
        Self::BuiltIn(format!("{BUILT_IN}{endpoint}}}\n"))
    }

    /// Reads and parses it. What is wrong with the text is in the answer.
    ///
    /// # Errors
    /// That a file cannot be read.
    pub fn read(&self) -> Result<Config, Error> {
        let mut config = Config::default();
        match self {
            Self::BuiltIn(text) => config.add("<built-in>", text.as_bytes()),
            Self::Path(path) => {
                for file in files(path)? {
                    let bytes = fs::read(&file).map_err(|error| cannot_read(&file, error))?;
                    config.add(file.display().to_string(), bytes);
                }
            }
        }
        Ok(config)
    }
}

/// Everything up to the end of the block that may hold an endpoint.
const BUILT_IN: &str = r#"prometheus.exporter.unix "host" { }

prometheus.exporter.self "agent" { }

prometheus.scrape "host" {
  targets         = array.concat(prometheus.exporter.unix.host.targets, prometheus.exporter.self.agent.targets)
  forward_to      = [prometheus.remote_write.default.receiver]
  scrape_interval = "15s"
}

prometheus.remote_write "default" {"#;

impl Config {
    /// The configuration that one text is.
    pub fn of(name: &str, text: &str) -> Self {
        let mut config = Self::default();
        config.add(name, text);
        config
    }

    fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        let source = self.sources.add(name, bytes);
        let (file, faults) = river_syntax::parse(&source);
        self.files.push(file);
        self.faults.extend(faults);
    }

    /// The files whose syntax is wrong.
    pub fn broken_sources(&self) -> impl Iterator<Item = &Source> {
        let mut broken: Vec<SourceId> = self.faults.iter().map(|fault| fault.span().source()).collect();
        broken.dedup();
        broken.into_iter().filter_map(|id| self.sources.get(id))
    }
}

/// The files of a path: itself, or the `*.alloy` files directly in it, by name.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| cannot_read(path, error))? {
        let file = entry.map_err(|error| cannot_read(path, error))?.path();
        if file.extension().is_none_or(|extension| extension != "alloy") {
            continue;
        }
        // A link that leads nowhere is a part of the configuration that is missing.
        let kind = fs::metadata(&file).map_err(|error| cannot_read(&file, error))?;
        if kind.is_file() {
            files.push(file);
        } else if !kind.is_dir() {
            return Err(Error::new(format_args!("{} is not a file", file.display())));
        }
    }
    if files.is_empty() {
        return Err(Error::new(format_args!("no *.alloy files in {}", path.display())));
    }
    files.sort();
    Ok(files)
}

fn cannot_read(path: &Path, error: io::Error) -> Error {
    Error::caused(format_args!("cannot read {}", path.display()), error)
}

/// Why a configuration was not put into force.
#[derive(Debug)]
pub enum LoadError {
    /// It could not be read.
    Read(Error),
    /// What is wrong with it.
    Faults(SourceMap, Vec<Diagnostic>),
}

impl LoadError {
    /// What is wrong and where, a line each, without the lines of the source: those may hold secrets, which are
    /// neither for logs nor for whoever asks over HTTP.
    pub fn brief(&self) -> String {
        match self {
            Self::Read(error) => crate::error::chain(error),
            Self::Faults(sources, diagnostics) => {
                let lines: Vec<String> = diagnostics
                    .iter()
                    .map(|fault| {
                        let place = sources.locate(fault.span());
                        let hint = fault
                            .suggestion()
                            .map(|s| format!(", did you mean {:?}?", s.replacement));
                        format!("{place}: {fault}{}", hint.unwrap_or_default())
                    })
                    .collect();
                lines.join("\n")
            }
        }
    }

    /// What is wrong and where, for a terminal or an HTTP answer: each fault with its lines.
    pub fn render(&self, color: bool) -> String {
        match self {
            Self::Read(error) => format!("Error: {}\n", crate::error::chain(error)),
            Self::Faults(sources, diagnostics) => Renderer::new(sources).color(color).render_all(diagnostics),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_configuration() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.alloy"), "logging { }\n").unwrap();
        fs::write(folder.path().join("a.alloy"), "// nothing\n").unwrap();
        fs::write(folder.path().join("c.txt"), "not read").unwrap();
        let config = ConfigSource::Path(folder.path().to_owned()).read().unwrap();
        assert_eq!(config.files.len(), 2);
        assert!(
            config
                .sources
                .iter()
                .next()
                .is_some_and(|source| source.name().ends_with("a.alloy"))
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_missing_from_a_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.alloy"), "// nothing\n").unwrap();
        fs::create_dir(folder.path().join("b.alloy")).unwrap();
        let source = ConfigSource::Path(folder.path().to_owned());
        assert_eq!(source.read().unwrap().files.len(), 1);
        std::os::unix::fs::symlink("nowhere", folder.path().join("c.alloy")).unwrap();
        let error = source.read().unwrap_err();
        assert!(error.to_string().contains("c.alloy"), "{error}");
    }

    #[test]
    fn faults_say_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.alloy");
        fs::write(&path, "logging {\n  level = \n}\n").unwrap();
        let config = ConfigSource::Path(path).read().unwrap();
        let error = LoadError::Faults(config.sources, config.faults);
        assert!(
            error.render(false).contains("x.alloy:3:1"),
            "{}",
            error.render(false)
        );
        let missing = ConfigSource::Path(folder.path().join("none.alloy"))
            .read()
            .unwrap_err();
        assert!(missing.to_string().contains("none.alloy"), "{missing}");
    }

    #[test]
    fn an_address_with_quotes_stays_one_string() {
        let ConfigSource::BuiltIn(text) = ConfigSource::built_in(Some("http://x/\"}")) else {
            unreachable!()
        };
        assert!(text.contains(r#"url = "http://x/\"}""#), "{text}");
        assert!(ConfigSource::BuiltIn(text).read().unwrap().faults.is_empty());
    }
}
