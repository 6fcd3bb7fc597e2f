//! `#[derive(ToValue)]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error};

use crate::field::{Role, fields};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    if matches!(input.data, syn::Data::Enum(_)) {
        return crate::choice::expand_to_value(input);
    }
    let fields = fields(input)?;
    if let Some(field) = fields
        .iter()
        .find(|field| field.role != Role::Attribute || field.default.is_some())
    {
        return Err(Error::new_spanned(
            field.ident,
            "only `name` can be set on a field of an object",
        ));
    }
    let ident = &input.ident;
    let idents: Vec<&syn::Ident> = fields.iter().map(|field| field.ident).collect();
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let docs: Vec<&str> = fields.iter().map(|field| field.docs.as_str()).collect();
    let types: Vec<&syn::Type> = fields.iter().map(|field| field.ty).collect();
    Ok(quote! {
        #[automatically_derived]
        impl ::river_syntax::ToValue for #ident {
            const TYPE: ::river_syntax::Type = ::river_syntax::Type::Object(&[#(
                ::river_syntax::Field {
                    name: #names,
                    docs: #docs,
                    ty: <#types as ::river_syntax::ToValue>::TYPE,
                }
            ),*]);

            fn to_value(&self) -> ::river_syntax::Value {
                let fields: [(&'static str, ::river_syntax::Value); _] = [#(
                    (#names, ::river_syntax::ToValue::to_value(&self.#idents))
                ),*];
                ::river_syntax::Value::object(fields)
            }
        }
    })
}
