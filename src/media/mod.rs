//! Sound: RTP in, jitter buffers, codecs, bridges, prompts and recordings as frames, RTP out.
