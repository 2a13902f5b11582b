# The connector. Build: docker build -t sip-voice-connector .    Run: docker-compose.yml, docs/opensips.md.

FROM node:24-slim AS build
WORKDIR /app
# onnxruntime would fetch CUDA libraries; the processor's library is in the package.
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
# The model for free speech and the page; then what only building and testing needed goes, with the Node that fresh clones run on (the image has one).
RUN node scripts/setup.mjs --model && npm run build && npm prune --omit=dev && rm -rf node_modules/node tests

FROM node:24-slim
ENV NODE_ENV=production DATA_DIR=/data NODE_COMPILE_CACHE=/tmp/compiled
RUN mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=build /app ./
USER node
VOLUME /data
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["node", "scripts/healthy.mjs"]
# SIGTERM drains: new calls are refused, running ones may end for DRAIN_SECONDS. Give the container longer than that.
STOPSIGNAL SIGTERM
# What is young may take 32 MB before it is collected (docs/media.md, Memory), as in `npm start`.
CMD ["node", "--max-semi-space-size=16", "src/main.ts"]
