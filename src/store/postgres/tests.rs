//! What only this store promises; the rest is in `conformance`.
