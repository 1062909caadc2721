// Puts what was made anew in the place of what is shown. Scrolling stays where it is.
"use strict";

const news = new EventSource("/events?after=" + document.body.dataset.number);
let lost = false;

async function renew() {
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = page.title;
  document.body.dataset.number = page.body.dataset.number;
  for (const part of ["header", "main"]) {
    document.querySelector(part).replaceWith(page.querySelector(part));
  }
}

news.addEventListener("message", renew);
news.addEventListener("error", () => {
  lost = true;
  document.getElementById("state").textContent = "The preview has ended: start it again, and this page goes on.";
});
news.addEventListener("open", () => {
  if (lost) {
    renew();
  }
  lost = false;
});
