// Fetches the page again every five seconds while it is looked at. What is folded open stays open.
"use strict";
const refresh = async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const details of document.querySelectorAll("details[open]")) {
      fresh.getElementById(details.id)?.setAttribute("open", "");
    }
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
  } catch {
    // The agent is being restarted: the next round will tell.
  }
};
setInterval(refresh, 5000);
