// Sends through nodemailer's pool: node pool.js PORT MESSAGES CONNECTIONS SIZE; prints seconds and processor seconds.
const nodemailer = require('nodemailer');
const [port, messages, connections, size] = process.argv.slice(2).map(Number);
const line = 'x'.repeat(74) + '\n';
const text = line.repeat(Math.floor(size / 5 / line.length));
const html = `<p>${line.repeat(Math.floor((size * 4) / 5 / line.length))}</p>`;
const pool = nodemailer.createTransport({
  host: '127.0.0.1', port, pool: true, maxConnections: connections, maxMessages: Infinity, ignoreTLS: true,
});
let next = 0;
async function carrier() {
  while (next < messages) {
    const n = next++;
    await pool.sendMail({
      from: 'digest@example.org', to: `reader${n}@example${n % 97}.net`, subject: 'News', text, html,
      list: { unsubscribe: `https://example.org/unsubscribe/${n}` },
    });
  }
}
(async () => {
  const start = process.hrtime.bigint();
  const used = process.cpuUsage();
  await Promise.all(Array.from({ length: connections }, carrier));
  const { user, system } = process.cpuUsage(used);
  console.log(Number(process.hrtime.bigint() - start) / 1e9, (user + system) / 1e6);
  pool.close();
})();
