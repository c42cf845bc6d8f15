import type { Settings } from '../runtime/env.ts';
import type { BootConfig } from './config/schema.ts';
import { derivedNodeName } from './node-name.ts';

/** What surfaces read of the boot file. */
export const settingsOf = (
  config: BootConfig,
  root: string,
  osVariables: Readonly<Record<string, string | undefined>>,
): Settings => ({
  luaLimits: {
    instructions: config.lua.budget.instructions,
    cpuMs: config.lua.budget.cpu_ms,
    resultBytes: config.lua.budget.result_bytes,
  },
  blockPrivateIps: config.http_client.block_private_ips,
  nodeName: config.relay.node_name || derivedNodeName(root),
  strictSecurity: config.security.strict_mode,
  root,
  osVariables,
  http: { extractHeaders: config.otel.http.extract_headers, injectHeaders: config.otel.http.inject_headers },
  httpTraceExclude: config.otel.http.exclude,
  httpMetricsExclude: config.metrics.http_exclude,
  events: { maxBacklog: config.events.max_backlog, maxSubscribers: config.events.max_subscribers },
  spans: {
    function: config.otel.interceptor.enabled,
    http: config.otel.http.enabled,
    queue: config.otel.queue.enabled,
    process: config.otel.process.enabled,
    processLifecycle: config.otel.process.enabled && config.otel.process.trace_lifecycle,
    kv: config.otel.kv.spans,
    sql: config.otel.sql.spans,
    cdc: config.otel.cdc.spans,
  },
});
