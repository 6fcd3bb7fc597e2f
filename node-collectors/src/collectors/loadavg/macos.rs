//! macOS: `struct loadavg` in `vm.loadavg`, fixed-point numbers with their scale.

use ferroalloy_model::Families;

use crate::collector::{Collector, Outcome};
use crate::error::Error;
use crate::macos::bytes::{i64_at, u32_at};
use crate::macos::calls::{self, Sysctl};
use crate::macos::layout::loadavg;

pub(super) struct LoadAvg<S> {
    sysctl: S,
}

impl<S: Sysctl> LoadAvg<S> {
    pub(super) fn new(sysctl: S) -> Self {
        Self { sysctl }
    }
}

impl<S: Sysctl> Collector for LoadAvg<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        super::emit(calls::value(&self.sysctl, c"vm.loadavg", parse)?, out);
        Ok(Outcome::Data)
    }
}

fn parse(bytes: &[u8]) -> Option<[f64; 3]> {
    let scale = i64_at(bytes, loadavg::FSCALE).filter(|scale| *scale > 0)? as f64;
    let [one, five, fifteen] = loadavg::LDAVG.map(|offset| u32_at(bytes, offset));
    Some([one?, five?, fifteen?].map(|load| f64::from(load) / scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::inventory;
    use crate::macos::recorded::{Recorded, Structure};
    use crate::testing::samples;

    fn recorded(scale: i64) -> Vec<u8> {
        Structure::new(24)
            .with(0, &3072_u32.to_le_bytes())
            .with(4, &4608_u32.to_le_bytes())
            .with(8, &u32::MAX.to_le_bytes())
            .with(16, &scale.to_le_bytes())
            .bytes()
    }

    #[test]
    fn fixed_point() {
        let mac = Recorded::default();
        mac.name("vm.loadavg", recorded(2048));
        assert_eq!(
            samples(&LoadAvg::new(mac)),
            [
                "node_load1 1.5",
                "node_load15 2.0971519995117188e+06",
                "node_load5 2.25"
            ]
        );
    }

    #[test]
    fn an_answer_without_scale_is_refused() {
        assert_eq!(parse(&recorded(0)), None);
        assert_eq!(parse(&recorded(-1)), None);
        assert!((0..24).all(|end| parse(&recorded(2048)[..end]).is_none()));
    }

    #[test]
    fn as_node_exporter_gives_it() {
        let mac = Recorded::default();
        mac.name("vm.loadavg", recorded(2048));
        inventory::check("loadavg", &LoadAvg::new(mac), &[], &[]);
    }
}
