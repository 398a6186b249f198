"use strict";
// Shows openapi.json for reading and lets a reader send requests to this very service. No library, no other origin.

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Text with `code` in backticks and blank lines between paragraphs.
function prose(text) {
  return (text || "").split(/\n\s*\n/).filter(Boolean).map((paragraph) => make("p", {}, ...inline(paragraph)));
}

function inline(text) {
  return text.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));
}

function resolve(api, schema) {
  if (!schema || !schema.$ref) return schema || {};
  const { $ref, ...rest } = schema;
  const found = $ref.slice(2).split("/").reduce((at, key) => at && at[key], api);
  return { ...found, ...rest, name: $ref.split("/").pop() };
}

function typeOf(api, raw) {
  const schema = resolve(api, raw);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const either = schema.anyOf || schema.oneOf;
  if (either) return either.map((each) => typeOf(api, each)).join(" | ");
  if (schema.type === "array") return `[${typeOf(api, schema.items)}]`;
  if (schema.type === "object" && schema.additionalProperties && schema.additionalProperties !== true && !schema.properties) {
    return `{name: ${typeOf(api, schema.additionalProperties)}}`;
  }
  return schema.name || schema.type || "any";
}

function limits(schema) {
  const said = [];
  if (schema.minimum !== undefined) said.push(`from ${schema.minimum}`);
  if (schema.exclusiveMinimum !== undefined) said.push(`above ${schema.exclusiveMinimum}`);
  if (schema.maximum !== undefined) said.push(`to ${schema.maximum}`);
  if (schema.exclusiveMaximum !== undefined) said.push(`below ${schema.exclusiveMaximum}`);
  if (schema.maxLength !== undefined) said.push(`up to ${schema.maxLength} characters`);
  if (schema.default !== undefined && schema.default !== null) said.push(`default ${[].concat(schema.default).join(",")}`);
  return said.join(", ");
}

// The models below a schema, each once.
function models(api, raw, seen = new Map()) {
  const schema = resolve(api, raw);
  if (schema.properties && schema.name) {
    if (seen.has(schema.name)) return seen;
    seen.set(schema.name, schema);
  }
  const inner = [...Object.values(schema.properties || {}), ...(schema.anyOf || []), ...(schema.oneOf || [])];
  if (schema.items) inner.push(schema.items);
  if (schema.additionalProperties && schema.additionalProperties !== true) inner.push(schema.additionalProperties);
  inner.forEach((each) => models(api, each, seen));
  return seen;
}

function modelTable(api, schema) {
  const required = new Set(schema.required || []);
  return make("div", { class: "scroll" }, make("table", {},
    make("caption", { hidden: true }, schema.name),
    make("thead", {}, make("tr", {}, ...["Member", "Type", "Meaning"].map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...Object.entries(schema.properties).map(([name, member]) => make("tr", {},
      make("td", {}, make("code", {}, name), required.has(name) ? "" : " (optional)"),
      make("td", {}, typeOf(api, member)),
      make("td", {}, ...inline([resolve(api, member).description, limits(member)].filter(Boolean).join(" · "))))))));
}

function modelsOf(api, schema) {
  return [...models(api, schema).values()].map((each) =>
    make("details", {}, make("summary", {}, make("code", {}, each.name)), ...prose(each.description), modelTable(api, each)));
}

function example(value) {
  return make("pre", { tabindex: "0" }, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

function parametersOf(api, operation) {
  if (!operation.parameters.length) return [];
  return [make("h4", {}, "Parameters"), make("div", { class: "scroll" }, make("table", {},
    make("thead", {}, make("tr", {}, ...["Name", "In", "Type", "Meaning"].map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...operation.parameters.map((parameter) => make("tr", {},
      make("td", {}, make("code", {}, parameter.name)),
      make("td", {}, parameter.in),
      make("td", {}, typeOf(api, parameter.schema)),
      make("td", {}, ...inline([parameter.description, limits(parameter.schema)].filter(Boolean).join(" · "))))))))];
}

// A route's body as [media type, content], or nothing: JSON, or text.
function bodyKind(operation) {
  return Object.entries(operation.requestBody?.content ?? {})[0];
}

function examplesOf(content) {
  return Object.entries(content.examples ?? (content.example === undefined ? {} : { "": { value: content.example } }));
}

function bodyOf(api, operation) {
  const [media, content] = bodyKind(operation) ?? [];
  if (!content) return [];
  return [make("h4", {}, "Body"), make("p", {}, make("code", {}, media)),
    ...examplesOf(content).flatMap(([name, each]) => [name && make("p", {}, name), example(each.value)]).filter(Boolean),
    ...modelsOf(api, content.schema)];
}

function answersOf(api, operation) {
  return [make("h4", {}, "Answers"), ...Object.entries(operation.responses).map(([status, response]) => {
    const contents = Object.entries(response.content || {});
    return make("details", { open: status === "200" && !contents.some(([, content]) => content.example === undefined) },
      make("summary", {}, make("span", { class: status >= "400" ? "status bad" : "status" }, status), " ", response.description),
      ...contents.flatMap(([media, content]) => [
        make("p", {}, make("code", {}, media)),
        content.example === undefined ? null : example(content.example),
        ...modelsOf(api, content.schema)]));
  })];
}

function bodyText(content) {
  const first = examplesOf(content)[0];
  if (!first) return "{}";
  return typeof first[1].value === "string" ? first[1].value : JSON.stringify(first[1].value, null, 2);
}

function tryIt(path, method, operation) {
  const fields = operation.parameters.map((parameter) => {
    const id = `${operation.operationId}-${parameter.name}`;
    const input = parameter.schema.enum
      ? make("select", { id }, make("option", { value: "" }, "(default)"), ...parameter.schema.enum.map((value) => make("option", {}, value)))
      : make("input", { id, required: parameter.required, autocomplete: "off", placeholder: parameter.schema.default ?? "" });
    return { parameter, input, label: make("label", { for: id }, parameter.name) };
  });
  const [media, content] = bodyKind(operation) ?? [];
  const body = content ? make("textarea", { id: `${operation.operationId}-body`, spellcheck: "false" }, bodyText(content)) : null;
  const said = make("div", { role: "status" });
  const form = make("form", {}, ...fields.flatMap(({ label, input }) => [label, input]),
    body ? make("label", { for: body.id }, "body") : null, body, make("button", {}, `Send ${method.toUpperCase()}`));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let url = path;
    const query = new URLSearchParams();
    const headers = { ...credentials(), ...(body ? { "Content-Type": media } : {}) };
    for (const { parameter, input } of fields) {
      if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value && parameter.in === "query") query.set(parameter.name, input.value);
      else if (input.value) headers[parameter.name] = input.value;
    }
    const target = url.slice(1) + (query.size ? `?${query}` : "");
    said.replaceChildren(make("p", {}, "Waiting…"));
    try {
      const response = await fetch(target, { method: method.toUpperCase(), headers, body: body ? body.value : undefined });
      const text = await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it came */ }
      said.replaceChildren(make("p", {}, make("span", { class: response.ok ? "status" : "status bad" }, String(response.status)), ` ${target}`),
        example(shown.length > 50000 ? `${shown.slice(0, 50000)}\n…` : shown || "(empty)"));
    } catch (error) {
      said.replaceChildren(make("p", { class: "status bad" }, `No answer: ${error.message}`));
    }
  });
  return make("details", { class: "try" }, make("summary", {}, "Try it"), form, said);
}

function article(api, path, method, operation) {
  return make("article", { id: operation.operationId },
    make("h3", {}, make("span", { class: `method ${method}` }, method.toUpperCase()), " ", path),
    make("p", { class: "summary" }, operation.summary), ...prose(operation.description),
    ...parametersOf(api, operation), ...bodyOf(api, operation), tryIt(path, method, operation), ...answersOf(api, operation));
}

function show(api) {
  document.getElementById("version").textContent = `${api.info.version} · OpenAPI ${api.openapi}`;
  document.getElementById("intro").append(...prose(api.info.description));
  const content = document.getElementById("content");
  const contents = document.getElementById("contents");
  const entries = [];
  for (const tag of api.tags) {
    const list = make("ul");
    const heading = make("h2", {}, tag.name);
    const section = make("section", {}, make("h2", {}, tag.name));
    for (const [path, item] of Object.entries(api.paths)) {
      for (const method of METHODS.filter((each) => item[each] && item[each].tags.includes(tag.name))) {
        const operation = item[method];
        const link = make("li", {}, make("a", { href: `#${operation.operationId}` },
          make("span", { class: `method ${method}` }, method.toUpperCase()), " ", path));
        const shown = article(api, path, method, operation);
        list.append(link);
        section.append(shown);
        entries.push({ link, shown, section, heading, text: `${method} ${path} ${operation.summary} ${operation.description}`.toLowerCase() });
      }
    }
    contents.append(heading, list);
    content.append(section);
  }
  document.getElementById("filter").addEventListener("input", (event) => filter(entries, event.target.value));
  document.getElementById("state").remove();
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function filter(entries, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of entries) {
    entry.hit = words.every((word) => entry.text.includes(word));
    entry.link.hidden = entry.shown.hidden = !entry.hit;
  }
  for (const entry of entries) {
    entry.section.hidden = entry.heading.hidden = !entries.some((other) => other.section === entry.section && other.hit);
  }
  document.getElementById("matches").textContent = words.length ? `${entries.filter((entry) => entry.hit).length} of ${entries.length} routes` : "";
}

// The dashboard's token, where somebody has signed in there; else it lasts as long as this page.
let token = stored();

function stored() {
  try { return localStorage.getItem("coachiq-analytics.token") || ""; } catch { return ""; }
}

function credentials() {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function say(text) {
  document.getElementById("state").textContent = text;
}

// The service tells nothing to those it does not know, its description included.
function ask(refused) {
  const form = document.getElementById("access");
  form.hidden = false;
  say(refused ? "This token may not read here. Enter another one." : "This service asks for an access token.");
  document.getElementById("token").focus();
}

async function load() {
  const response = await fetch("openapi.json", { headers: credentials() });
  if (response.status === 401 || response.status === 403) {
    ask(Boolean(token));
    return;
  }
  if (!response.ok) throw new Error(`status ${response.status}`);
  const text = await response.text();
  if (token) {
    // A plain link would come without the token.
    const source = document.getElementById("source");
    source.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    source.download = "openapi.json";
  }
  document.getElementById("access").remove();
  show(JSON.parse(text));
}

function start() {
  load().catch((error) => {
    say(`The description of the API could not be loaded (${error.message}). Reload to try again.`);
  });
}

document.getElementById("access").addEventListener("submit", (event) => {
  event.preventDefault();
  token = document.getElementById("token").value.trim();
  say("Loading the description of the API…");
  start();
});
start();
