// A receiver of genq's webhooks: Express and standardwebhooks.
//
//   npm install express standardwebhooks
//   GENQ_WEBHOOK_SECRET=whsec_… PORT=9999 node receiver.mjs

import express from "express";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.GENQ_WEBHOOK_SECRET);
const seen = new Set(); // a table with a unique column, where there is more than one process
const app = express();

// express.raw: the raw bytes are what is signed. express.json would lose them. An event holds a whole result.
app.post("/hooks/genq", express.raw({ type: "application/json", limit: "16mb" }), (request, response) => {
  let event;
  try {
    event = webhook.verify(request.body, request.headers);
  } catch {
    return response.sendStatus(401);
  }
  response.sendStatus(204); // answer first, work afterwards
  if (seen.has(event.id)) return; // the same event may come twice
  seen.add(event.id);
  setImmediate(work, event);
});

function work(event) {
  const job = event.data;
  console.log(event.type, job.id, job.assets.map((asset) => asset.url).join(" "));
}

const server = app.listen(Number(process.env.PORT ?? 9999), "127.0.0.1", () => {
  console.log(`listening on ${server.address().port}`);
});
