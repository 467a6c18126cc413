//! Every known mistake is made once and named.
