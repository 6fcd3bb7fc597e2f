//! `os`: what the operating system's release calls itself.
//!
//! Linux: `etc/os-release`, else `usr/lib/os-release` below the root file system (os-release(5)). macOS has neither,
//! but a property list; node_exporter looks for all three on either system, and so does this.

mod macos;

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "os",
    linux: Support::On,
    macos: Support::On,
    summary: "Name, version and end of support of the operating system.",
    sources: FILES,
    families: &["node_os_*"],
    options: &[],
    build: |context| Ok(Box::new(Os::new(context))),
};

/// Where a release may describe itself below the root file system; the first that exists counts.
const FILES: &[&str] = &["etc/os-release", "usr/lib/os-release", macos::SYSTEM_VERSION];

struct Os {
    files: Vec<PathBuf>,
}

impl Os {
    fn new(context: &Context<'_>) -> Self {
        Self {
            files: FILES.iter().map(|path| context.roots.rootfs(path)).collect(),
        }
    }
}

impl Collector for Os {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        for path in &self.files {
            if let Some(content) = buffer.optional(path)? {
                let content = std::str::from_utf8(content).map_err(|_| Error::parse(path, "not UTF-8"))?;
                let parse = if path.ends_with(macos::SYSTEM_VERSION) {
                    macos::parse
                } else {
                    Release::parse
                };
                let release = parse(content).map_err(|fault| Error::parse(path, fault))?;
                release.emit(out);
                return Ok(Outcome::Data);
            }
        }
        Ok(Outcome::NoData)
    }
}

/// What a release says of itself; empty where it says nothing.
#[derive(Debug, Default, Clone, PartialEq)]
struct Release {
    build_id: String,
    id: String,
    id_like: String,
    image_id: String,
    image_version: String,
    name: String,
    pretty_name: String,
    support_end: String,
    variant: String,
    variant_id: String,
    version: String,
    version_codename: String,
    version_id: String,
}

impl Release {
    /// Shell-like assignments; the error says what is wrong.
    fn parse(content: &str) -> Result<Self, String> {
        let mut release = Self::default();
        for line in content.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fault = || format!("bad line {line:?}");
            let (key, value) = line.split_once('=').ok_or_else(fault)?;
            let value = unquote(value.trim()).ok_or_else(fault)?;
            let field = match key.strip_prefix("export ").unwrap_or(key).trim() {
                "BUILD_ID" => &mut release.build_id,
                "ID" => &mut release.id,
                "ID_LIKE" => &mut release.id_like,
                "IMAGE_ID" => &mut release.image_id,
                "IMAGE_VERSION" => &mut release.image_version,
                "NAME" => &mut release.name,
                "PRETTY_NAME" => &mut release.pretty_name,
                "SUPPORT_END" => &mut release.support_end,
                "VARIANT" => &mut release.variant,
                "VARIANT_ID" => &mut release.variant_id,
                "VERSION" => &mut release.version,
                "VERSION_CODENAME" => &mut release.version_codename,
                "VERSION_ID" => &mut release.version_id,
                _ => continue,
            };
            *field = value;
        }
        Ok(release)
    }

    fn emit(&self, out: &mut Families) {
        out.family(
            "node_os_info",
            "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, name, pretty_name, variant, variant_id, version, version_codename, version_id.",
            MetricKind::Gauge,
        )
        .sample(
            &[
                ("build_id", &self.build_id),
                ("id", &self.id),
                ("id_like", &self.id_like),
                ("image_id", &self.image_id),
                ("image_version", &self.image_version),
                ("name", &self.name),
                ("pretty_name", &self.pretty_name),
                ("variant", &self.variant),
                ("variant_id", &self.variant_id),
                ("version", &self.version),
                ("version_codename", &self.version_codename),
                ("version_id", &self.version_id),
            ],
            1.0,
        );
        let version = leading_number(&self.version_id);
        if version > 0.0 {
            let help = "Metric containing the major.minor part of the OS version.";
            let labels = [
                ("id", &*self.id),
                ("id_like", &*self.id_like),
                ("name", &*self.name),
            ];
            out.family("node_os_version", help, MetricKind::Gauge)
                .sample(&labels, version);
        }
        if let Some(end) = date(&self.support_end) {
            let help = "Metric containing the end-of-life date timestamp of the OS.";
            out.single(
                "node_os_support_end_timestamp_seconds",
                help,
                MetricKind::Gauge,
                end as f64,
            );
        }
    }
}

/// Removes a shell value's quotes and escapes; `None` if a quote is left open.
fn unquote(value: &str) -> Option<String> {
    let mut plain = String::with_capacity(value.len());
    let mut quote = None;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (Some('\''), other) => plain.push(other),
            (_, '\\') => plain.push(characters.next()?),
            (None, '#') if plain.ends_with(' ') => {
                plain.truncate(plain.trim_end().len());
                return Some(plain);
            }
            (_, other) => plain.push(other),
        }
    }
    quote.is_none().then_some(plain)
}

/// Major and minor version as one number, so that 20.04 gives 20.04 and 24.10 gives 24.1; 0 without any.
fn leading_number(version: &str) -> f64 {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let major = digits(version);
    let end = match version[major..].strip_prefix('.') {
        Some(minor) if major > 0 => major + 1 + digits(minor),
        _ => major,
    };
    version[..end].trim_end_matches('.').parse().unwrap_or(0.0)
}

/// Seconds from 1970 to the start (UTC) of a day written as `2026-11-23`.
fn date(text: &str) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return None;
    };
    let number = |digits: &[u8]| text::decimal(digits).and_then(|number| i64::try_from(number).ok());
    let (year, month, day) = (
        number(&[*y1, *y2, *y3, *y4])?,
        number(&[*m1, *m2])?,
        number(&[*d1, *d2])?,
    );
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from the civil calendar with years that start in March, so that the leap day is the last of a year.
    let (shifted_year, shifted_month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era_day = 365 * shifted_year + shifted_year.div_euclid(4) - shifted_year.div_euclid(100)
        + shifted_year.div_euclid(400);
    let days = era_day + (153 * shifted_month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const RELEASE: &str = "# a comment\nNAME=\"Ubuntu\"\nVERSION=\"20.04.2 LTS (Focal Fossa)\"\nID=ubuntu\nID_LIKE=debian\n\
        PRETTY_NAME='Ubuntu 20.04.2 LTS'\nVERSION_ID=\"20.04\"\nHOME_URL=\"https://www.ubuntu.com/\"\nVERSION_CODENAME=focal\n\
        SUPPORT_END=2030-05-29\n";

    #[test]
    fn linux() {
        let host = Host::new(&[]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(collector.update(&mut Families::new()).unwrap(), Outcome::NoData);
        host.write("usr/lib/os-release", RELEASE);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_os_info{build_id=\"\",id=\"ubuntu\",id_like=\"debian\",image_id=\"\",image_version=\"\",name=\"Ubuntu\",pretty_name=\"Ubuntu 20.04.2 LTS\",variant=\"\",variant_id=\"\",version=\"20.04.2 LTS (Focal Fossa)\",version_codename=\"focal\",version_id=\"20.04\"} 1",
                "node_os_support_end_timestamp_seconds 1.9062432e+09",
                "node_os_version{id=\"ubuntu\",id_like=\"debian\",name=\"Ubuntu\"} 20.04"
            ]
        );
        host.write("etc/os-release", "NAME=\"open");
        assert!(collector.update(&mut Families::new()).is_err());
    }

    #[test]
    fn values() {
        assert_eq!(unquote(r#""a \"b\" \$c""#).as_deref(), Some("a \"b\" $c"));
        assert_eq!(unquote(r"'a \b'").as_deref(), Some(r"a \b"));
        assert_eq!(unquote("plain # comment").as_deref(), Some("plain"));
        assert_eq!(unquote("\"open"), None);
        assert_eq!(leading_number("24.10"), 24.1);
        assert_eq!(leading_number("12"), 12.0);
        assert_eq!(leading_number("3.18.4"), 3.18);
        assert_eq!(leading_number("rolling"), 0.0);
        assert_eq!(leading_number(".5"), 0.0);
        assert_eq!(date("1970-01-01"), Some(0));
        assert_eq!(date("2000-02-29"), Some(951_782_400));
        assert_eq!(date("2000-13-01"), None);
        assert_eq!(date("soon"), None);
        never_panics(RELEASE, |bytes| {
            std::str::from_utf8(bytes).map(|text| {
                let release = Release::parse(text).unwrap_or_default();
                (
                    leading_number(text),
                    date(text),
                    release.emit(&mut Families::new()),
                )
            })
        });
    }
}
