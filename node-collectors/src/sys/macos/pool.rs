//! Autorelease pools. Apple's frameworks are partly in Objective-C and leave objects to the pool of the calling thread.
//! Threads of ours have none, and keep such objects until they end, which those that collect may never do.

use std::ffi::c_void;
use std::sync::LazyLock;

use super::symbol::{Library, functions};

functions! {
    // Those that compilers call: "Runtime support" of Clang's "Objective-C Automatic Reference Counting".
    struct Functions in Library::Loaded;
    fn push as c"objc_autoreleasePoolPush"() -> *mut c_void;
    fn pop as c"objc_autoreleasePoolPop"(*mut c_void);
}

static FUNCTIONS: LazyLock<Option<Functions>> = LazyLock::new(Functions::find);

/// Runs `call`, and frees what it left to the pool. Nothing that it returns may belong to the pool: plain data, or
/// objects with a reference of their own.
pub(super) fn drained<T>(call: impl FnOnce() -> T) -> T {
    let _pool = Pool::open();
    call()
}

/// The pool that is innermost on this thread while it lives. Not `Send`, because of the pointer.
struct Pool(Option<(&'static Functions, *mut c_void)>);

impl Pool {
    fn open() -> Self {
        Self(FUNCTIONS.as_ref().map(|functions| {
            // SAFETY: takes nothing, and gives what stands for the new pool.
            (functions, unsafe { (functions.push)() })
        }))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some((functions, pool)) = self.0 {
            // SAFETY: the pool was opened on this thread, and is given back once. Those opened after it are closed, since
            // they live in calls that have returned.
            unsafe { (functions.pop)(pool) };
        }
    }
}
