// The official Node client against a gateway: `node client.mjs BASE_URL KEY`.
// Prints one JSON line per check, with what the client saw; test_openai_node.py judges it.

import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = saying("hi");

const checks = {
  async models() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids };
  },

  async chat() {
    const { data, request_id } = await client.chat.completions
      .create({ model: "fast", messages, user: "node" })
      .withResponse();
    return { content: data.choices[0].message.content, usage: data.usage, request_id };
  },

  async stream() {
    const { data, request_id } = await client.chat.completions
      .create({ model: "fast", messages, stream: true })
      .withResponse();
    return { ...(await read(data)), request_id };
  },

  async stream_with_usage() {
    const stream_options = { include_usage: true };
    return read(
      await client.chat.completions.create({ model: "fast", messages, stream: true, stream_options }),
    );
  },

  async tools_in_stream() {
    const tools = ["weather", "clock"].map((name) => ({
      type: "function",
      function: { name, parameters: { type: "object" } },
    }));
    const stream = await client.chat.completions.create({
      model: "tools",
      messages,
      tools,
      stream: true,
    });
    const deltas = [];
    for await (const chunk of stream) deltas.push(...(chunk.choices[0].delta.tool_calls ?? []));
    return { deltas };
  },

  async stream_helper_with_tools() {
    const answer = await client.chat.completions
      .stream({ model: "tools", messages })
      .finalChatCompletion();
    return { tool_calls: answer.choices[0].message.tool_calls };
  },

  async header_session() {
    const headers = { "x-trimtab-user": "bob", "x-trimtab-session": "node-session" };
    const { request_id } = await client.chat.completions
      .create({ model: "fast", messages }, { headers })
      .withResponse();
    return { request_id };
  },

  wrong_key: () => failure(ask("fast", new OpenAI({ baseURL, apiKey: "tt-wrong", maxRetries: 0 }))),
  unknown_model: () => failure(ask("fsat")),
  malformed: () => failure(client.chat.completions.create({ model: "fast", messages: "hi" })),
  too_long: () => failure(ask("too-long")),
  rate_limited: () => failure(ask("busy")),
  provider_broken: () => failure(ask("broken")),
  provider_late: () => failure(readAll("late-route")),
  error_in_stream: () => failure(readAll("in-band")),
  truncated_stream: () => failure(readAll("closed")),

  async abort() {
    const { data: stream, request_id } = await client.chat.completions
      .create({ model: "endless", messages: saying("node abort"), stream: true })
      .withResponse();
    let chunks = 0;
    for await (const _ of stream) {
      chunks += 1;
      if (chunks === 5) stream.controller.abort();
    }
    return { chunks, request_id };
  },

  async leave_the_loop() {
    const { data: stream, request_id } = await client.chat.completions
      .create({ model: "endless", messages: saying("node leave_the_loop"), stream: true })
      .withResponse();
    for await (const _ of stream) break;
    return { request_id };
  },
};

function saying(content) {
  return [{ role: "user", content }];
}

function ask(model, by = client) {
  return by.chat.completions.create({ model, messages });
}

async function readAll(model) {
  return read(await client.chat.completions.create({ model, messages, stream: true }));
}

async function read(stream) {
  let content = "";
  let finish_reason = null;
  const usages = [];
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content ?? "";
    finish_reason = chunk.choices[0]?.finish_reason ?? finish_reason;
    if (chunk.usage) usages.push(chunk.usage);
  }
  return { content, finish_reason, usages };
}

async function failure(promise) {
  try {
    return { unexpected: await promise };
  } catch (error) {
    const { status, code, message, param, requestID: request_id } = error;
    const retry_after = error.headers?.get("retry-after") ?? null;
    return { kind: error.constructor.name, status, code, message, param, request_id, retry_after };
  }
}

for (const [check, run] of Object.entries(checks)) {
  let saw;
  try {
    saw = await run();
  } catch (error) {
    saw = { crashed: String(error) };
  }
  console.log(JSON.stringify({ check, ...saw }));
}
