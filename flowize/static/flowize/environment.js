/* Keeps the status and the log of an environment's page fresh while a job is under way. */
(() => {
  const place = document.getElementById("environment-live");
  if (!place) return;
  const ask = async () => {
    let answer;
    try {
      answer = await fetch(place.dataset.url, { headers: { Accept: "text/html" }, redirect: "error" });
    } catch {
      return setTimeout(ask, 5000);
    }
    if (!answer.ok) return location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    const open = [...place.querySelectorAll("details[open]")].map((one) => one.id);
    place.replaceChildren(...fresh.childNodes);
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    // Buttons and charts belong to the whole page, which is read again once nothing is under way.
    if (!place.querySelector("[data-busy]")) return location.reload();
    setTimeout(ask, 1500);
  };
  if (place.querySelector("[data-busy]")) setTimeout(ask, 1000);
})();
