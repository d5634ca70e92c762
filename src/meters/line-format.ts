/**
 * How the engine reads one line of a log: expressions in its dialect over the String column `line`.
 *
 * Shape: `steps` are evaluated in order, each may use `line` and the names of earlier steps; names
 * start with `f_` so that they never meet a column. `columns` may use `line` and every step.
 */
export interface LineFormat {
  /** Changes whenever the expressions change; recorded with every batch read this way. */
  readonly id: string
  readonly steps: readonly (readonly [name: string, expression: string])[]
  readonly columns: LineColumns
}

/** Expressions for what one log line says. Types are the engine's. */
export interface LineColumns {
  /** String: '' for a usable line, else the reason (`unparseable`, `bad_time`, `bad_bytes`, …). */
  readonly error: string
  /** DateTime64(3, 'UTC'); any value when `error` is set. */
  readonly time: string
  /** String: lower-case host without port; '' when the format carries none. */
  readonly host: string
  /** String: the client's IPv4 or IPv6 address as text; '' when unknown. */
  readonly client: string
  /** UInt64: bytes sent to the client, headers included where the format says so. */
  readonly bytesOut: string
  /** UInt64: bytes received from the client; 0 when the format carries none. */
  readonly bytesIn: string
  /** UInt16: HTTP status; 0 when unknown. */
  readonly status: string
  /** String: upper-case cache status such as HIT, MISS, EXPIRED; '' when unknown. */
  readonly cache: string
  /** String: lower-case http, https, ws, wss, quic; '' when unknown. */
  readonly protocol: string
}
