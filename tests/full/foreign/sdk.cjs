// Streams one message with the npm SDK, configured by the environment alone.
const Anthropic = require("@anthropic-ai/sdk").default;

async function main() {
  const stream = new Anthropic().messages.stream({
    model: "claude-test",
    max_tokens: 16,
    messages: [{ role: "user", content: "hi" }],
  });
  let text = "";
  stream.on("text", (piece) => (text += piece));
  const { usage } = await stream.finalMessage();
  const input = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
  console.log(text, input, usage.output_tokens);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
