//! The C library's mathematical functions, whose results CPython passes on.

/// A complex number as C passes it.
#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

macro_rules! declare {
    ($($ty:ty => $($name:ident),+;)+) => {$($(
        pub fn $name(x: $ty) -> $ty {
            unsafe extern "C" {
                #[link_name = stringify!($name)]
                fn c_function(x: $ty) -> $ty;
            }
            // SAFETY: a pure function of the C library, with this signature.
            unsafe { c_function(x) }
        }
    )+)+};
}

declare! {
    f64 => acos, acosh, asin, asinh, atan, atanh, cbrt, cos, cosh, erf, erfc, exp, exp2, expm1, log, log10, log1p, log2,
        sin, sinh, sqrt, tan, tanh, tgamma, lgamma;
    Complex => cacos, cacosh, casin, casinh, catan, catanh, ccos, ccosh, cexp, clog, csin, csinh, csqrt, ctan, ctanh;
}

macro_rules! declare2 {
    ($($name:ident),+) => {$(
        pub fn $name(x: f64, y: f64) -> f64 {
            unsafe extern "C" {
                #[link_name = stringify!($name)]
                fn c_function(x: f64, y: f64) -> f64;
            }
            // SAFETY: a pure function of the C library, with this signature.
            unsafe { c_function(x, y) }
        }
    )+};
}

declare2!(atan2, fmod, hypot, pow, remainder, nextafter);
