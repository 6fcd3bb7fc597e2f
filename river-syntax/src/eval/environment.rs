//! What functions may learn about the process they run in.
//!
//! Functions such as `sys.env` ask an [`Environment`], which the scope gives. So evaluating a text never reads the
//! process's environment unless the host says so, by handing out [`Process`].

/// Facts about the process and its host.
pub trait Environment {
    /// The value of an environment variable; `None` when it is not set or not UTF-8.
    fn variable(&self, name: &str) -> Option<String>;

    /// `constants.hostname`
    fn hostname(&self) -> String;

    /// `constants.version`
    fn version(&self) -> String;

    /// `constants.os`, in Go's words: `linux`, `darwin`.
    fn os(&self) -> &'static str {
        match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        }
    }

    /// `constants.arch`, in Go's words: `amd64`, `arm64`.
    fn arch(&self) -> &'static str {
        match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64",
            "loongarch64" => "loong64",
            other => other,
        }
    }
}

/// An environment that knows nothing: no variables, an empty host name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Isolated;

impl Environment for Isolated {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn hostname(&self) -> String {
        String::new()
    }

    fn version(&self) -> String {
        "v0.0.0".to_owned()
    }
}

/// The environment of this process. The host name and the version are for the host to say.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// `constants.hostname`
    pub hostname: String,
    /// `constants.version`, such as `v1.2.3`.
    pub version: String,
}

impl Environment for Process {
    fn variable(&self, name: &str) -> Option<String> {
        // `std::env::var` panics on names that no variable can have.
        if name.is_empty() || name.contains(['=', '\0']) {
            return None;
        }
        std::env::var(name).ok()
    }

    fn hostname(&self) -> String {
        self.hostname.clone()
    }

    fn version(&self) -> String {
        self.version.clone()
    }
}
