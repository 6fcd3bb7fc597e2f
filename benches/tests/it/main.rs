//! What the hot paths take from the allocator once they are warm: nothing per sample. What they give back.

mod allocations;
mod spike;
