import { entryKind, type Surface } from '../../runtime/surface.ts';
import { GIVE_DEFAULT_HOST, uncallableProblems } from '../process/port.ts';
import { streamsActive } from './instruments.ts';
import {
  checkEndpoint,
  checkRouter,
  checkService,
  ENDPOINT,
  endpointReferences,
  endpointSchema,
  ROUTER,
  routerReferences,
  routerSchema,
  SERVICE,
  type ServiceConfig,
  serviceSchema,
} from './kinds.ts';
import { defineHttpModule } from './module.ts';
import { HTTP_SERVERS } from './port.ts';
import { routeTable } from './route-table.ts';
import { httpServer } from './server.ts';
import { isExcluded } from './sites.ts';

/**
 * HTTP in: servers, routers, endpoints and the Lua module `http`.
 * Routes and prefixes that conflict are found when the declarations are checked.
 */
export const httpSurface: Surface = {
  name: 'http',
  kinds: {
    [SERVICE]: entryKind({
      schema: serviceSchema,
      check: ({ config }) => checkService(config),
    }),
    [ROUTER]: entryKind({
      schema: routerSchema,
      references: routerReferences,
      check: ({ config }) => checkRouter(config),
    }),
    [ENDPOINT]: entryKind({
      schema: endpointSchema,
      references: endpointReferences,
      check: ({ config }) => checkEndpoint(config),
    }),
  },
  modules: ['http'],
  check: (registry) => [...routeTable(registry).problems, ...uncallableProblems(registry, ENDPOINT, GIVE_DEFAULT_HOST)],
  sites({ id, kind }, { settings, registry }) {
    if (kind !== ENDPOINT) return undefined;
    const route = [...routeTable(registry).routes.values()].flat().find((one) => one.id === id);
    return {
      isGuarded: true,
      isMeasured: !isExcluded(settings.httpMetricsExclude, route),
      hasSpan: settings.spans.http && !isExcluded(settings.httpTraceExclude, route),
      hasLine: true,
    };
  },
  build(env) {
    const { routes } = routeTable(env.registry);
    defineHttpModule(env.engine);
    const streams = env.collector.upDownCounter(streamsActive).bind({ kind: 'sse' });
    const servers = env.registry
      .declared<ServiceConfig>(SERVICE)
      .map((service) => httpServer(env, service, routes.get(service.id) ?? [], streams));
    env.provide(HTTP_SERVERS, {
      addresses: () =>
        servers.flatMap(({ id, address }) => {
          const bound = address();
          return bound === undefined ? [] : [{ id, address: bound }];
        }),
    });
    return servers.map(({ component }) => component);
  },
};
