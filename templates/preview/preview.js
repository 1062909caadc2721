// Replaces the page when the preview changes. The scroll position stays.
"use strict";

const events = new EventSource("/events?after=" + document.body.dataset.number);
let isDisconnected = false;

async function refresh() {
  const response = await fetch(location.href);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  document.title = page.title;
  document.body.dataset.number = page.body.dataset.number;
  for (const part of ["header", "main"]) {
    document.querySelector(part).replaceWith(page.querySelector(part));
  }
}

events.addEventListener("message", refresh);
events.addEventListener("error", () => {
  isDisconnected = true;
  document.getElementById("state").textContent = "The preview was stopped. Start it again, and this page continues.";
});
events.addEventListener("open", () => {
  if (isDisconnected) {
    refresh();
  }
  isDisconnected = false;
});
