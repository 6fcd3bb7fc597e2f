//! Capsules: native values of the host that pass through the language unseen.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::types::Type;
use crate::value::Value;

/// A type whose values the host puts into capsules.
///
/// ```
/// use river_syntax::{Capsule, CapsuleType};
/// use std::sync::Arc;
///
/// #[derive(Debug)]
/// struct Receiver(u32);
/// impl CapsuleType for Receiver {
///     const NAME: &'static str = "metrics.receiver";
/// }
///
/// let capsule = Capsule::new(Arc::new(Receiver(7)));
/// assert_eq!(capsule.downcast::<Receiver>().unwrap().0, 7);
/// assert!(capsule.downcast::<River>().is_none());
/// # #[derive(Debug)] struct River; impl CapsuleType for River { const NAME: &'static str = "river"; }
/// ```
pub trait CapsuleType: Any + Send + Sync {
    /// The name of the type in messages and in the reference.
    const NAME: &'static str;

    /// The type of what [`view`](Self::view) gives, for the type checker: whoever has one says which.
    const VIEW: Option<&'static Type> = None;

    /// The type of capsules of it.
    const TYPE: Type = Type::Capsule {
        name: Self::NAME,
        view: Self::VIEW,
    };

    /// Whether two values are the same to the language: by default only a value and itself. An export that compares equal
    /// to the one before is no change.
    fn same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    /// An ordinary value that the capsule stands for, by which it is indexed, accessed, compared with an ordinary value
    /// and decoded into other types; by default none.
    fn view(&self) -> Option<Value> {
        None
    }
}

/// A native value behind a reference count. Its text form is its type's name alone.
#[derive(Clone)]
pub struct Capsule {
    value: Arc<dyn Any + Send + Sync>,
    ops: &'static Ops,
}

struct Ops {
    name: &'static str,
    same: fn(&dyn Any, &dyn Any) -> bool,
    view: fn(&dyn Any) -> Option<Value>,
}

struct OpsOf<T>(std::marker::PhantomData<T>);

impl<T: CapsuleType> OpsOf<T> {
    const OPS: &'static Ops = &Ops {
        name: T::NAME,
        same: same::<T>,
        view: view::<T>,
    };
}

fn same<T: CapsuleType>(a: &dyn Any, b: &dyn Any) -> bool {
    match (a.downcast_ref::<T>(), b.downcast_ref::<T>()) {
        (Some(a), Some(b)) => a.same(b),
        _ => false,
    }
}

fn view<T: CapsuleType>(value: &dyn Any) -> Option<Value> {
    value.downcast_ref::<T>()?.view()
}

impl Capsule {
    /// Puts a value into a capsule.
    pub fn new<T: CapsuleType>(value: Arc<T>) -> Capsule {
        Capsule {
            value,
            ops: OpsOf::<T>::OPS,
        }
    }

    /// The name of the type.
    pub fn type_name(&self) -> &'static str {
        self.ops.name
    }

    /// The value, if it is a `T`.
    pub fn downcast<T: CapsuleType>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.value).downcast().ok()
    }

    /// The ordinary value that it stands for, if it has one.
    pub fn view(&self) -> Option<Value> {
        (self.ops.view)(&*self.value)
    }
}

impl PartialEq for Capsule {
    fn eq(&self, other: &Capsule) -> bool {
        Arc::ptr_eq(&self.value, &other.value) || (self.ops.same)(&*self.value, &*other.value)
    }
}

impl fmt::Display for Capsule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capsule(\"{}\")", self.ops.name)
    }
}

impl fmt::Debug for Capsule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
