"""The wire format of /v1/tcp-monitors: camel case, `{data}` envelopes, and refusals with codes."""
