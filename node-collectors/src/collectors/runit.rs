//! `runit`: services under runit's supervision, from the files `supervise/status` and `down` of each (runsv(8)).

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::option::options;
use crate::read::Buffer;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "runit",
    linux: Support::Off,
    macos: Support::Off,
    summary: "State of services under runit.",
    sources: &["supervise/status, down in each folder of the given one"],
    families: &["node_service_*"],
    options: options! {
        "runit.servicedir" = runit.service_dir: String, "The folder with the services.";
    },
    build: |context| {
        let services = PathBuf::from(&context.options.runit.service_dir);
        Ok(Box::new(Runit { services }))
    },
};

/// Options of `runit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The folder with one folder, or link to one, for each service.
    pub service_dir: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            service_dir: "/etc/service".to_owned(),
        }
    }
}

struct Runit {
    services: PathBuf,
}

/// Seconds between the epoch of TAI64 and 1970, with the ten that TAI was ahead then.
const TAI_OFFSET: u64 = (1 << 62) + 10;

/// The content of `supervise/status`.
#[derive(Debug, PartialEq)]
struct Status {
    /// Seconds after 1970.
    since: f64,
    /// 0 down, 1 up, 2 finishing.
    state: u8,
    /// 1 if it is to be up.
    wanted: u8,
}

/// Time as TAI64N, process, paused, wanted, term, state: 20 bytes; `None` for another length.
fn parse(content: &[u8]) -> Option<Status> {
    let content: &[u8; 20] = content.try_into().ok()?;
    let seconds = u64::from_be_bytes(*content.first_chunk()?);
    Some(Status {
        since: seconds.wrapping_sub(TAI_OFFSET).cast_signed() as f64,
        wanted: u8::from(content[17] == b'u'),
        state: content[19],
    })
}

/// The folders of services, in order of name; links count as what they lead to.
fn services(folder: &Path) -> Result<Vec<String>, Error> {
    let read = |error| Error::read(folder, error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort_unstable();
    Ok(names)
}

impl Collector for Runit {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        for service in services(&self.services)? {
            let folder = self.services.join(&service);
            let path = folder.join("supervise/status");
            let mut buffer = Buffer::take();
            // A service that nothing supervises, or whose status is not for everyone's eyes, is left out.
            let Some(status) = buffer.file(&path).ok().and_then(parse) else {
                continue;
            };
            let labels = [("service", service.as_str()), ("supervisor", "runit")];
            let mut emit = |name, help, value| gauge(out, name, help, &labels, value);
            let help = "State of runit service.";
            emit("node_service_state", help, f64::from(status.state));
            let help = "Desired state of runit service.";
            emit("node_service_desired_state", help, f64::from(status.wanted));
            let help = "Normal state of runit service.";
            let normal = f64::from(u8::from(!folder.join("down").exists()));
            emit("node_service_normal_state", help, normal);
            let (name, help) = (
                "node_service_state_last_change_timestamp_seconds",
                "Unix timestamp of the last runit service state change.",
            );
            emit(name, help, status.since);
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    fn status(since: u64, wanted: u8, state: u8) -> Vec<u8> {
        let mut content = (TAI_OFFSET + since).to_be_bytes().to_vec();
        content.extend([0, 0, 0, 1, 0x39, 0x30, 0, 0, 0, wanted, 0, state]);
        content
    }

    #[test]
    fn services_and_what_they_are_to_be() {
        let host = Host::new(&[("down/down", ""), ("idle/run", ""), ("file", "")]);
        for (name, content) in [
            ("ssh", status(1_700_000_000, b'u', 1)),
            ("down", status(5, b'd', 2)),
            ("cut", status(5, b'd', 0)[..19].to_vec()),
        ] {
            let folder = host.path().join(name).join("supervise");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("status"), content).unwrap();
        }
        let collector = host
            .collector(&DESCRIPTOR, |options| {
                options.runit.service_dir = host.path().to_str().unwrap().to_owned();
            })
            .unwrap();
        let change = "node_service_state_last_change_timestamp_seconds";
        assert_eq!(
            crate::testing::samples(collector.as_ref()),
            [
                "node_service_desired_state{service=\"down\",supervisor=\"runit\"} 0".to_owned(),
                "node_service_desired_state{service=\"ssh\",supervisor=\"runit\"} 1".to_owned(),
                "node_service_normal_state{service=\"down\",supervisor=\"runit\"} 0".to_owned(),
                "node_service_normal_state{service=\"ssh\",supervisor=\"runit\"} 1".to_owned(),
                "node_service_state{service=\"down\",supervisor=\"runit\"} 2".to_owned(),
                "node_service_state{service=\"ssh\",supervisor=\"runit\"} 1".to_owned(),
                format!("{change}{{service=\"down\",supervisor=\"runit\"}} 5"),
                format!("{change}{{service=\"ssh\",supervisor=\"runit\"}} 1.7e+09"),
            ]
        );
    }

    #[test]
    fn a_folder_that_is_absent_is_an_error_and_any_status_is_read() {
        let host = Host::new(&[]);
        let collector = host.collector(&DESCRIPTOR, |options| {
            options.runit.service_dir = "/nowhere".to_owned();
        });
        let error = collector.unwrap().update(&mut Families::new()).unwrap_err();
        assert!(error.is_not_found());
        never_panics("                   \u{1}", parse);
    }
}
