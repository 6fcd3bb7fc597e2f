//! The derive macros of `river-syntax`; use them through that crate, which documents them on its traits `Block` and
//! `ToValue`.

#![forbid(unsafe_code)]

mod block;
mod choice;
mod field;
mod to_value;

use proc_macro::TokenStream;

/// Implements `river_syntax::Block`: the struct can be decoded from a block, and describes its shape.
#[proc_macro_derive(Block, attributes(river))]
pub fn derive_block(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    block::expand(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Implements `river_syntax::FromValue` for an enum whose variants hold nothing: strings of a fixed set.
#[proc_macro_derive(FromValue, attributes(river))]
pub fn derive_from_value(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    choice::expand_from_value(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Implements `river_syntax::ToValue`: a struct can be made an object, and an enum whose variants hold nothing a string;
/// both describe their type.
#[proc_macro_derive(ToValue, attributes(river))]
pub fn derive_to_value(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    to_value::expand(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
