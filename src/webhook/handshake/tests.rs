//! Each handshake from its sender's own request.
