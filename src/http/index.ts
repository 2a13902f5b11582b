export { createHttpServer, type HealthCheck, type HttpServer, type HttpServerOptions } from './server.ts';
