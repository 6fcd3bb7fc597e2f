//! `constants.*`

use super::Constant;

pub(super) const ARCH: Constant = Constant {
    name: "constants.arch",
    docs: "The processor architecture, such as `amd64` or `arm64`.",
    read: |environment| environment.arch().to_owned(),
};

pub(super) const HOSTNAME: Constant = Constant {
    name: "constants.hostname",
    docs: "The name of the host.",
    read: |environment| environment.hostname(),
};

pub(super) const OS: Constant = Constant {
    name: "constants.os",
    docs: "The operating system, such as `linux` or `darwin`.",
    read: |environment| environment.os().to_owned(),
};

pub(super) const VERSION: Constant = Constant {
    name: "constants.version",
    docs: "The version of the program.",
    read: |environment| environment.version(),
};
