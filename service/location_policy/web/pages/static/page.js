// What a page does besides being read; all of it can be done without, in more steps.

const REFRESH = 5000;
const COPY = '<svg aria-hidden="true" width="14" height="14" viewBox="0 0 14 14"><path d="M4.5 4.5h8v8h-8zM9.5 4.5v-3h-8v8h3"/></svg>';

/** Times in the reader's zone; UTC stays in the title. */
function localTimes(root) {
  const [short, exact] = ["short", "medium"].map((timeStyle) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle }));
  for (const time of root.querySelectorAll("time[datetime]:not([data-ago])")) {
    time.textContent = ("seconds" in time.dataset ? exact : short).format(new Date(time.dateTime));
  }
}

/** A button behind what is worth copying. */
function copyButtons(root) {
  if (!navigator.clipboard) return; // only where the connection is secure
  const add = (after, what, text) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.innerHTML = COPY;
    button.title = `Copy ${what}`;
    button.setAttribute("aria-label", button.title);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => { button.innerHTML = COPY; }, 1500);
    });
    after.after(button);
  };
  for (const link of root.querySelectorAll("[data-copy]")) add(link, `commit ${link.dataset.copy}`, link.dataset.copy);
  for (const block of root.querySelectorAll("[data-copied]")) add(block, "the command", block.textContent.trim());
}

function enhance(root) {
  localTimes(root);
  copyButtons(root);
  root.querySelectorAll(".icicle").forEach(icicle);
  root.querySelectorAll("[data-fill]").forEach(fill);
}

/** What was typed for the commit goes along when its plan is shown again: it stands in the other form. */
function keepTyped(asking, confirming) {
  asking.addEventListener("formdata", ({ formData }) => {
    for (const name of ["message", "proposed", "reason"]) {
      const field = confirming.elements.namedItem(name);
      if (field) formData.set(name, field.value);
    }
  });
}

/** A preview of a large map takes seconds: that it is being made stands beside its button, and for how long. */
function showProgress(form) {
  form.addEventListener("submit", ({ submitter }) => {
    const told = document.createElement("span");
    told.setAttribute("role", "status");
    told.className = "quiet";
    const began = Date.now();
    const tell = () => { told.innerHTML = `<progress aria-label="Working"></progress> ${Math.round((Date.now() - began) / 1000)} s`; };
    const timer = setInterval(tell, 1000);
    setTimeout(() => { (submitter || form).after(told); tell(); if (submitter) submitter.disabled = true; }, 300);
    addEventListener("pageshow", () => { clearInterval(timer); told.remove(); if (submitter) submitter.disabled = false; }, { once: true });
  });
}

let listed = location.search;
addEventListener("popstate", () => { if (location.search !== listed) location.reload(); });

/** The rows of what the picture shows, and the address that leads back to it. */
async function listBelow(root, view) {
  const list = document.getElementById("list");
  if (!list || !root) return;
  const target = `/map?${new URLSearchParams({ q: root, root, ...(view ? { view } : {}) })}`;
  const found = (await fetched(target)).getElementById("list");
  if (!found) return;
  history.pushState({}, "", target);
  listed = location.search;
  document.getElementById("q").value = root;
  list.replaceWith(found);
  enhance(found);
}

let missed = 0;
let heard = new Date();

/** Two looks that failed make the page grey: what it shows may be true no more. */
function contact(isThere) {
  missed = isThere ? 0 : missed + 1;
  if (isThere) heard = new Date();
  const told = document.getElementById("lost");
  document.body.classList.toggle("lost", missed > 1);
  if (missed > 1 && !told) {
    const since = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }).format(heard);
    document.body.prepend(Object.assign(document.createElement("p"), { id: "lost", role: "alert", textContent: `No contact with the service since ${since}. What is shown is of then.` }));
  } else if (isThere) told?.remove();
}

/** The page at an address that is looked at again and again. */
async function looked(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(REFRESH) });
    contact(response.status < 500);
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch (error) {
    contact(false);
    throw error;
  }
}

async function fetched(url) {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Puts the part of another page in the place of the link to it. */
async function fill(section) {
  const { fill: url } = section.dataset;
  delete section.dataset.fill;
  try {
    const found = (await fetched(url)).getElementById(section.id);
    if (!found) return;
    section.replaceWith(found);
    enhance(found);
  } catch { /* the link to it stays */ } finally { section.classList.remove("fill"); }
}

/** What changes by itself, anew while it is looked at: only what has changed is replaced, so nothing flickers and nothing loses focus. */
function live(root, shown) {
  let last = shown;
  const look = async () => {
    if (document.hidden) return;
    try {
      const page = await looked(root.dataset.live);
      const fresh = page.getElementById(root.id);
      if (!fresh) return;
      const state = page.getElementById("state");
      if (fresh.innerHTML !== last) {
        document.title = page.title;
        document.getElementById("state").replaceWith(state);
        replaceChanged(root, fresh);
      }
      last = fresh.innerHTML;
    } catch { /* the next look may succeed */ }
  };
  look();
  setInterval(look, REFRESH);
}

function replaceChanged(root, fresh) {
  const plain = document.createElement("div");
  plain.append(...fresh.cloneNode(true).childNodes);
  enhance(plain);
  merge(root, plain);
}

/** The children of one element become those of another; what is alike stays as it is. */
function merge(old, fresh) {
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  const alike = before.length === after.length && before.every((node, at) => node.nodeName === after[at].nodeName);
  if (!alike) {
    old.replaceChildren(...after);
    return;
  }
  before.forEach((node, at) => {
    if (node.isEqualNode(after[at])) return;
    if (node.nodeType === Node.ELEMENT_NODE && node.cloneNode(false).isEqualNode(after[at].cloneNode(false))) merge(node, after[at]);
    else node.replaceWith(after[at]);
  });
}

/** The picture: one bar is in the order of the Tab key, arrow keys go from bar to bar, Enter and a click lead closer. */
function icicle(svg) {
  const section = svg.closest("section");
  const told = section.querySelector("output");
  const bars = [...svg.querySelectorAll("a")];
  const place = bars.map((bar) => {
    const box = bar.querySelector("svg");
    const start = parseFloat(box.getAttribute("x"));
    return { bar, depth: Number(bar.dataset.depth), start, end: start + parseFloat(box.getAttribute("width")) };
  });
  let at = 0;
  const choose = (to, focus) => {
    if (to < 0) return;
    bars[at].tabIndex = -1;
    at = to;
    bars[at].tabIndex = 0;
    told.textContent = bars[at].getAttribute("aria-label");
    if (focus) bars[at].focus();
  };
  const beside = (step) => {
    const row = place.filter((one) => one.depth === place[at].depth).sort((a, b) => a.start - b.start);
    const found = row[row.indexOf(place[at]) + step];
    return found ? place.indexOf(found) : -1;
  };
  const near = (step) => {
    const middle = (place[at].start + place[at].end) / 2;
    const inReach = place.filter((one) => one.depth === place[at].depth + step
      && one.end > place[at].start && one.start < place[at].end);
    inReach.sort((a, b) => Math.abs((a.start + a.end) / 2 - middle) - Math.abs((b.start + b.end) / 2 - middle));
    return inReach.length ? place.indexOf(inReach[0]) : -1;
  };
  bars.forEach((bar, number) => {
    bar.tabIndex = number ? -1 : 0;
    bar.addEventListener("focus", () => choose(number, false));
    bar.addEventListener("mouseenter", () => { told.textContent = bar.getAttribute("aria-label"); });
  });
  svg.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: () => beside(-1), ArrowRight: () => beside(1), ArrowUp: () => near(-1), ArrowDown: () => near(1) };
    if (event.key in moves) {
      event.preventDefault();
      choose(moves[event.key](), true);
    } else if (event.key === "Escape") {
      section.querySelector("[data-wider]")?.click();
    }
  });
  if (location.pathname === "/picture") return; // a page of its own, in which links are followed
  section.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href^='/picture']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const hadFocus = section.contains(document.activeElement);
    const url = link.getAttribute("href");
    const found = (await fetched(url)).getElementById(section.id);
    if (!found) { location.href = url; return; }
    section.replaceWith(found);
    enhance(found);
    if (hadFocus) found.querySelector(".icicle a").focus();
    const asked = new URLSearchParams(url.split("?")[1]);
    await listBelow(asked.get("root"), asked.get("view"));
  });
}

const lives = [...document.querySelectorAll("[data-live]")].map((root) => [root, root.innerHTML]);
enhance(document);
const [asking, confirming] = document.querySelectorAll("form.change");
document.querySelectorAll("form.change").forEach(showProgress);
if (confirming) keepTyped(asking, confirming);
lives.forEach(([root, shown]) => live(root, shown));
if (!lives.length) setInterval(async () => { // the state beside the navigation is true on every page
  if (document.hidden) return;
  try {
    const state = (await looked("/")).getElementById("state");
    if (state) document.getElementById("state").replaceWith(state);
  } catch { /* told by contact() */ }
}, REFRESH * 2);
