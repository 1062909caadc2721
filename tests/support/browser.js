// Render pages in headless Chromium: axe violations, widths, and requests to other hosts.
// In: {"urls", "views", "chromium"} on stdin. Out: a list of rendered pages on stdout; browser.py names the fields of both.
// No other host is contacted: requests to one are reported, images are answered with a large one, everything else fails.
const fs = require("node:fs");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WORKERS = 3; // pages at a time: each is a process of its own
const LOCAL = /^(file|data|about|blob):|^http:\/\/(127\.0\.0\.1|localhost)[:/]/;
const IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="900"><rect width="1600" height="900"/></svg>';

async function createState(browser) {
  const page = await browser.newPage();
  await page.setBypassCSP(true);
  await page.setRequestInterception(true);
  const state = { page, disabled: [], external_urls: [] };
  page.on("request", (request) => {
    const isLocal = LOCAL.test(request.url());
    if (!isLocal) state.external_urls.push(request.url());
    if (request.resourceType() !== "image") return isLocal ? request.continue() : request.abort();
    if (state.disabled.includes("pictures")) return request.abort();
    return isLocal ? request.continue() : request.respond({ contentType: "image/svg+xml", body: IMAGE });
  });
  return state;
}

async function openPage(state, url, { disabled }) {
  Object.assign(state, { disabled, external_urls: [] });
  await state.page.goto(url, { waitUntil: "load" });
  if (disabled.includes("styles"))
    await state.page.evaluate(() => document.querySelectorAll("style, link[rel=stylesheet]").forEach((element) => element.remove()));
}

async function renderView({ page, external_urls }, url, { width, scheme, disabled, is_audited }) {
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  if (is_audited) await page.evaluate(`if (!window.axe) { ${axe} }`);
  const violations = is_audited ? await page.evaluate(findViolations, RULES) : [];
  return { url, width, scheme, disabled, violations, external_urls, ...(await page.evaluate(measurePage)) };
}

// These two run in the page.
async function findViolations(tags) {
  const results = await axe.run(document, { runOnly: tags, rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] });
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, any }) => `${id}: ${target.join(" ")}: ${any[0]?.message ?? help}`));
}

function measurePage() {
  const body = getComputedStyle(document.body);
  const ancestors = (element) => (element.parentElement ? [element.parentElement, ...ancestors(element.parentElement)] : []);
  const clips = (element) => element !== document.body && getComputedStyle(element).overflowX !== "visible";
  const overflows = (element) => {
    const box = element.getBoundingClientRect();
    const isOutside = body.direction === "rtl" ? box.left < -1 : box.right > innerWidth + 1; // the other side cannot be scrolled to
    return isOutside && box.width > 1 && box.height > 1 && !ancestors(element).some(clips);
  };
  return {
    content_width: document.scrollingElement.scrollWidth,
    overflowing: [...document.body.querySelectorAll("*")].filter(overflows).map((element) => element.outerHTML.slice(0, 90)),
    direction: body.direction,
    background: body.backgroundColor,
  };
}

async function main({ urls, views, chromium }) {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });
  const pages = urls.map(() => []);
  const queue = [...urls.entries()];
  const work = async () => {
    const state = await createState(browser);
    for (let next; (next = queue.shift()); ) {
      const [number, url] = next;
      for (const [index, view] of views.entries()) {
        if (!index || view.disabled.join() !== views[index - 1].disabled.join()) await openPage(state, url, view);
        pages[number].push(await renderView(state, url, view));
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: WORKERS }, work));
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(pages.flat()));
}

main(JSON.parse(fs.readFileSync(0, "utf8"))).catch((error) => { console.error(error); process.exit(1); });
