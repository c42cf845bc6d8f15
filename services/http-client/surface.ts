import type { Surface } from '../../runtime/surface.ts';
import { httpClient } from './client.ts';
import { defineHttpClientModule } from './module.ts';

/** HTTP out: the Lua module `http_client`, over connections that are pooled for the whole program. */
export const httpClientSurface: Surface = {
  kinds: {},
  modules: ['http_client'],
  build(env) {
    const client = httpClient(env);
    defineHttpClientModule(env.engine, client);
    return [
      {
        name: 'http_client',
        needs: [],
        async stop() {
          client.close();
        },
      },
    ];
  },
};
