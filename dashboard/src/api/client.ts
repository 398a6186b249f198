// Requests to the service on the same origin, typed by its OpenAPI document.
import { heardServerTime } from "../lib/clock";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

type Getter<Path extends keyof paths> = paths[Path] extends { get: infer Operation } ? Operation : never;
export type Answer<Path extends keyof paths> =
  Getter<Path> extends { responses: { 200: { content: { "application/json": infer Body } } } } ? Body : never;

export type Parameters = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** What the service said went wrong. `status` 0: it did not answer. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

const TOKEN = "coachiq-analytics.token";
let token = readToken();

function readToken(): string | undefined {
  try {
    return localStorage.getItem(TOKEN) ?? undefined;
  } catch {
    return undefined;
  }
}

export function getToken(): string | undefined {
  return token;
}

export function setToken(next: string | undefined): void {
  token = next;
  try {
    if (next === undefined) localStorage.removeItem(TOKEN);
    else localStorage.setItem(TOKEN, next);
  } catch {
    // it lasts as long as the page
  }
}

export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (typeof value === "object") for (const each of value) query.append(name, each);
    else query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The service's answer, when it is a good one. Raises ApiError. */
export async function answer(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new ApiError(0, "The service does not answer");
  }
  if (!response.ok) {
    const detail = ((await bodyOf(response)) as { detail?: unknown } | undefined)?.detail;
    throw new ApiError(response.status, typeof detail === "string" ? detail : `The service answered ${response.status}`);
  }
  return response;
}

function bodyOf(response: Response): Promise<unknown> {
  return response.json().catch(() => undefined);
}

export async function request<Body>(path: string, options: RequestInit = {}): Promise<Body> {
  const headers = new Headers(options.headers);
  headers.set("Accept", "application/json");
  const response = await answer(path, { ...options, headers });
  const body = await bodyOf(response);
  const generated = (body as { generated_at?: unknown } | undefined)?.generated_at;
  if (typeof generated === "number" && !response.headers.has("X-From-Cache")) heardServerTime(generated);
  return body as Body;
}

/** GET `path` as its documented answer. Raises ApiError. */
export function get<Path extends keyof paths & string>(
  path: Path,
  parameters?: Parameters,
  signal?: AbortSignal,
): Promise<Answer<Path>> {
  return request<Answer<Path>>(address(path, parameters), signal === undefined ? {} : { signal });
}
