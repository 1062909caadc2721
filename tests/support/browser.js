// Pages in headless Chromium: what axe finds wrong, how wide they have to be, and what they ask other hosts for.
// In: {"urls", "looks", "chromium"} on stdin. Out: a list of sights on stdout; tests/browser.py names the fields of both.
// Nothing of another host is fetched: requests that leave this machine are told; a picture is a large one, all else fails.
const fs = require("node:fs");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const LANES = 3; // pages that are looked at side by side: each is a process of its own
const HERE = /^(file|data|about|blob):|^http:\/\/(127\.0\.0\.1|localhost)[:/]/;
const PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="900"><rect width="1600" height="900"/></svg>';

async function prepared(browser) {
  const page = await browser.newPage();
  await page.setBypassCSP(true);
  await page.setRequestInterception(true);
  const state = { page, without: [], elsewhere: [] };
  page.on("request", (request) => {
    const here = HERE.test(request.url());
    if (!here) state.elsewhere.push(request.url());
    if (request.resourceType() !== "image") return here ? request.continue() : request.abort();
    if (state.without.includes("pictures")) return request.abort();
    return here ? request.continue() : request.respond({ contentType: "image/svg+xml", body: PICTURE });
  });
  return state;
}

async function open(state, url, { without }) {
  Object.assign(state, { without, elsewhere: [] });
  await state.page.goto(url, { waitUntil: "load" });
  if (without.includes("styles"))
    await state.page.evaluate(() => document.querySelectorAll("style, link[rel=stylesheet]").forEach((each) => each.remove()));
}

async function look({ page, elsewhere }, url, { width, scheme, without, judged }) {
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  if (judged) await page.evaluate(`if (!window.axe) { ${axe} }`);
  const faults = judged ? await page.evaluate(axeFaults, RULES) : [];
  return { url, width, scheme, without, faults, elsewhere, ...(await page.evaluate(measures)) };
}

// These two run in the page.
async function axeFaults(tags) {
  const told = await axe.run(document, { runOnly: tags, rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] });
  return told.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, any }) => `${id}: ${target.join(" ")}: ${any[0]?.message ?? help}`));
}

function measures() {
  const body = getComputedStyle(document.body);
  const around = (each) => (each.parentElement ? [each.parentElement, ...around(each.parentElement)] : []);
  const clips = (each) => each !== document.body && getComputedStyle(each).overflowX !== "visible";
  const sticksOut = (each) => {
    const box = each.getBoundingClientRect();
    const out = body.direction === "rtl" ? box.left < -1 : box.right > innerWidth + 1; // the other side cannot be scrolled to
    return out && box.width > 1 && box.height > 1 && !around(each).some(clips);
  };
  return {
    needs: document.scrollingElement.scrollWidth,
    wide: [...document.body.querySelectorAll("*")].filter(sticksOut).map((each) => each.outerHTML.slice(0, 90)),
    direction: body.direction,
    paper: body.backgroundColor,
  };
}

async function main({ urls, looks, chromium }) {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });
  const sights = urls.map(() => []);
  const waiting = [...urls.entries()];
  const lane = async () => {
    const state = await prepared(browser);
    for (let next; (next = waiting.shift()); ) {
      const [number, url] = next;
      for (const [place, each] of looks.entries()) {
        if (!place || each.without.join() !== looks[place - 1].without.join()) await open(state, url, each);
        sights[number].push(await look(state, url, each));
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(sights.flat()));
}

main(JSON.parse(fs.readFileSync(0, "utf8"))).catch((fault) => { console.error(fault); process.exit(1); });
