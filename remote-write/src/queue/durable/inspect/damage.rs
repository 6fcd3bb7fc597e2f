//! What is wrong with a queue's files, in words.

use std::fmt;

use crate::queue::durable::frame::VERSION;

/// Something that is wrong with a file of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file's name within the folder.
    pub file: String,
    /// Where, in bytes from the file's beginning.
    pub offset: u64,
    /// What it is.
    pub flaw: Flaw,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// The file is not one of a queue, or its beginning is damaged. The queue sets it aside when it is opened.
    Unknown,
    /// The file is of another version of the format. The queue sets it aside when it is opened.
    Version(u32),
    /// The segment's batches are newer than those of the segment behind it. The queue sets it aside when it is opened.
    OtherQueue,
    /// Nothing in the file says where the endpoint was. The queue sets it aside when it is opened, and some samples may be sent twice.
    NoSnapshot,
    /// There is no frame where one must begin. Reading goes on at the next one.
    Header,
    /// The content of a frame is not what its checksum was made of.
    Payload,
    /// The content of a frame makes no sense, though its checksum is right.
    Content,
    /// The series of a batch are not known, since what describes them cannot be read.
    NoLayout,
    /// So many samples that were before this place are in no file: they were in what is damaged, in a file that is gone, or the disk did
    /// not take them.
    Missing(u64),
    /// The file ends within a frame, or in zeros: it is being written, or was when the process or the machine stopped. Nothing that was
    /// committed is lost by it; the queue cuts it off when it is opened.
    Torn,
}

impl Damage {
    pub(super) fn new(file: &str, offset: u64, flaw: Flaw) -> Self {
        Self {
            file: file.to_owned(),
            offset,
            flaw,
        }
    }

    /// Whether it is no damage but the end of what was written.
    pub fn is_torn_end(&self) -> bool {
        self.flaw == Flaw::Torn
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: offset {}: {}", self.file, self.offset, self.flaw)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not a file of a queue, or its header is damaged"),
            Self::Version(version) => {
                write!(
                    f,
                    "the file is of version {version}, and this program reads {VERSION}"
                )
            }
            Self::OtherQueue => f.write_str("the segment is of another queue"),
            Self::NoSnapshot => f.write_str("the endpoint's place cannot be read"),
            Self::Header => f.write_str("no record begins here"),
            Self::Payload => f.write_str("the record does not match its checksum"),
            Self::Content => f.write_str("the record makes no sense"),
            Self::NoLayout => f.write_str("the series of the record are not described"),
            Self::Missing(samples) => {
                write!(f, "{samples} samples that were before this place are missing")
            }
            Self::Torn => f.write_str("the file ends within a record"),
        }
    }
}
