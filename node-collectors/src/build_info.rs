//! `node_exporter_build_info`, for programs that stand in for node_exporter.

use ferroalloy_model::{Families, MetricKind};

/// What a program says about its build, under node_exporter's family name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// The program's version.
    pub version: String,
    /// Version control revision it was built from.
    pub revision: String,
    /// Version control branch it was built from.
    pub branch: String,
    /// Compiler version; node_exporter's label is `goversion`.
    pub compiler: String,
    /// Optional parts it was built with.
    pub tags: String,
}

impl BuildInfo {
    /// Adds `node_exporter_build_info`; `program` is named in its HELP text.
    pub fn write(&self, program: &str, out: &mut Families) {
        let help = format!(
            "A metric with a constant '1' value labeled by version, revision, branch, goversion from which {program} was built, and the goos and goarch for the build."
        );
        out.family("node_exporter_build_info", &help, MetricKind::Gauge)
            .sample(
                &[
                    ("branch", &self.branch),
                    ("goarch", architecture()),
                    (
                        "goos",
                        if cfg!(target_os = "macos") {
                            "darwin"
                        } else {
                            std::env::consts::OS
                        },
                    ),
                    ("goversion", &self.compiler),
                    ("revision", &self.revision),
                    ("tags", &self.tags),
                    ("version", &self.version),
                ],
                1.0,
            );
    }
}

/// The architecture by Go's names, which dashboards and alerts know.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        other => other,
    }
}
