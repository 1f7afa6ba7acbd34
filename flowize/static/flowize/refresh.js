// Parts of a page that ask for themselves again. Without this script the page is complete and stays as it was.
"use strict";

for (const part of document.querySelectorAll("[data-refresh]")) {
  const seconds = Number(part.dataset.seconds);
  const state = document.getElementById(part.dataset.state);

  function say(text) {
    state.hidden = false;
    state.textContent = text;
  }

  async function refresh() {
    // Nobody looks, or somebody is about to press a button in it.
    if (document.hidden || part.contains(document.activeElement)) return true;
    const answer = await fetch(part.dataset.refresh, { redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect" || answer.status === 403) return false;
    if (!answer.ok) throw new Error(String(answer.status));
    part.innerHTML = await answer.text();
    say(`Refreshes every ${seconds} seconds`);
    return true;
  }

  async function again() {
    let goesOn = true;
    try {
      goesOn = await refresh();
    } catch {
      say("The numbers could not be refreshed; trying again");
    }
    if (goesOn) setTimeout(again, seconds * 1000);
    else say("You are signed out: reload the page");
  }

  say(`Refreshes every ${seconds} seconds`);
  setTimeout(again, seconds * 1000);
}
