//! Signalling: messages, transactions, dialogs and the endpoint that owns them (RFC 3261).
