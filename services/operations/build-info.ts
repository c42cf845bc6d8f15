import type { BuildInfo } from '../../runtime/env.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import type { GaugeSpec } from '../../runtime/metrics/instruments.ts';
import { foldTo } from '../../runtime/metrics/vocabulary.ts';

const COMMANDS = ['run', 'test', 'invoke', 'embed'] as const;

const BUILD_INFO: GaugeSpec<'version' | 'revision' | 'node_version' | 'otel_sdk_version' | 'lua_engine' | 'command'> = {
  name: 'build_info',
  help: 'What this program was built from and how it was started; always 1.',
  unit: '1',
  labels: ['version', 'revision', 'node_version', 'otel_sdk_version', 'lua_engine', 'command'],
};

/** Sets `<ns>_build_info`, once, when the program starts. */
export const registerBuildInfo = (
  collector: Collector,
  build: BuildInfo & { readonly otelSdkVersion: string; readonly luaEngine: string },
): void => {
  const labels = {
    version: build.version,
    revision: build.revision,
    node_version: process.version,
    otel_sdk_version: build.otelSdkVersion,
    lua_engine: build.luaEngine,
    command: foldTo(COMMANDS, build.command),
  };
  collector.gauge(BUILD_INFO).bind(labels).set(1);
};
