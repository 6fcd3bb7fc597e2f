#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("Ferroalloy runs on Linux and macOS; Windows and other systems are not supported");

pub mod batch;
pub mod clock;
pub mod commit;
pub mod families;
pub mod float;
pub mod histogram;
pub mod intern;
pub mod labels;
pub mod layout;
#[cfg(feature = "re2")]
pub mod re2;
pub mod reconfigure;
pub mod sample;
pub mod text;

pub use batch::{Batch, ColumnData, Columns, HistogramRow, Presence, Row, RowSides, Rows, Sides};
#[cfg(feature = "tokio")]
pub use clock::SystemClock;
pub use clock::{Clock, ManualClock};
pub use commit::{Commit, Committed, Fanout, Promise, Receiver};
pub use families::{Collect, Families};
pub use histogram::Histogram;
pub use intern::Pair;
pub use labels::{Labels, LabelsBuilder};
pub use layout::{Layout, LayoutBuilder, LayoutId, Series, Slots, SourceId, StageKey};
pub use reconfigure::Reconfigured;
pub use sample::{Exemplar, Metadata, MetricKind, is_stale, stale_nan};
