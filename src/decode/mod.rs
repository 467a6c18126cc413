//! Bytes and a content type in, one document out. Pure.
