"""Streams one message with the Python SDK, configured by the environment alone."""

import anthropic

with anthropic.Anthropic().messages.stream(
    model="claude-test", max_tokens=16, messages=[{"role": "user", "content": "hi"}]
) as stream:
    text = "".join(stream.text_stream)
    usage = stream.get_final_message().usage
cached = usage.cache_creation_input_tokens + usage.cache_read_input_tokens
print(text, usage.input_tokens + cached, usage.output_tokens)
