"use strict";

// The demo's conversation: sends what is typed and pressed, shows what comes back, and listens for the rest.

const desk = document.querySelector(".desk");
const person = Number(desk.dataset.person);
const page = document.querySelector('meta[name="redfirst-page"]').content;
const talk = document.getElementById("talk");
const told = document.getElementById("told");
const sheet = document.getElementById("sheet");

// Who you are

const people = document.getElementById("people");
const pick = document.querySelector(".pick");

function openPeople(open) {
  people.classList.toggle("open", open);
  pick.setAttribute("aria-expanded", String(open));
  if (open) document.getElementById("find").focus();
}
pick.addEventListener("click", () => openPeople(!people.classList.contains("open")));
people.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && people.classList.contains("open")) {
    openPeople(false);
    pick.focus();
  }
});

document.getElementById("find").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  let found = 0;
  for (const team of people.querySelectorAll(".team")) {
    const whole = team.querySelector("h2").textContent.toLowerCase().includes(wanted);
    let any = 0;
    for (const item of team.querySelectorAll("li")) {
      const fits = whole || item.textContent.toLowerCase().includes(wanted);
      item.hidden = !fits;
      any += fits;
    }
    team.hidden = !any;
    found += any;
  }
  document.getElementById("nobody").hidden = found > 0;
});

// What time it is on the desk, and moving it on

const time = document.getElementById("time");
let ahead = time ? Number(time.dataset.now) - Date.now() : 0;
const now = () => new Date(Date.now() + ahead);

function told_at() {
  const zone = time.dataset.zone;
  const day = now().toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: zone });
  return day + " " + now().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
}

async function move(button) {
  const moved = document.getElementById("moved");
  const buttons = document.querySelectorAll("[data-clock]");
  if (button.getAttribute("aria-busy") === "true") return;
  for (const one of buttons) one.setAttribute("aria-busy", "true");
  moved.classList.remove("unseen");
  moved.textContent = "The desk works through the time until then …";
  try {
    const response = await fetch("/clock", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Redfirst-Page": page },
      body: JSON.stringify({ person, to: button.dataset.clock }),
    });
    const reply = await response.json();
    if (reply.now) ahead = reply.now - Date.now();
    time.textContent = told_at();
    moved.textContent = reply.error || "It is " + told_at() + ".";
    moved.classList.toggle("unseen", !reply.error); // the time is shown above
  } catch {
    moved.textContent = "The demo does not answer. Is it still running?";
  } finally {
    for (const one of buttons) one.removeAttribute("aria-busy");
  }
}

if (time) {
  setInterval(() => {
    const shown = told_at();
    if (time.textContent !== shown) time.textContent = shown;
  }, 1000);
  for (const button of document.querySelectorAll("[data-clock]")) button.addEventListener("click", () => move(button));
}

const current = people.querySelector("[aria-current]");
if (current) current.scrollIntoView({ block: "center" });

if (talk) {
  // Which platform the cards are shown as

  const views = document.querySelectorAll('input[name="view"]');
  const kept = sessionStorage.getItem("view");
  for (const view of views) {
    view.addEventListener("change", () => show(view.value));
    if (view.value === kept) {
      view.checked = true;
      show(kept);
    }
  }

  function show(view) {
    desk.dataset.view = view;
    sessionStorage.setItem("view", view);
  }

  // Messages

  const zone = time ? { timeZone: time.dataset.zone } : {};
  const clock = (at) => (at ? new Date(at) : now()).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...zone });
  const mark = document.querySelector(".hello .mark");

  let opener; // the button that opened the form

  function element(tag, kind, words) {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    if (words) made.textContent = words;
    return made;
  }

  function views_of(message) {
    const made = element("div", "views");
    for (const view of ["html", "slack", "teams"]) {
      const frame = element("div", "view as-" + view);
      const by = element("p", "by");
      by.append(element("b", "", "Redfirst"), element("span", "app", "App"), element("time", "", clock(message.at)));
      const body = element("div", "body");
      body.innerHTML = message[view]; // made by our own server, in which every text is escaped
      frame.append(by, body);
      made.append(frame);
    }
    return made;
  }

  function said(words) {
    const item = element("li", "me");
    item.append(element("p", "bubble", words));
    talk.append(item);
    bottom(item);
  }

  function answered(message, pressed) {
    told.textContent = "Redfirst: " + message.summary;
    if (message.form) {
      opener = pressed; // its answer takes the place of the card from which it was opened
      sheet.replaceChildren(views_of(message));
      const close = element("button", "rf-button", "Close");
      close.type = "button";
      close.dataset.close = "";
      sheet.querySelector(".as-html .rf-buttons").append(close);
      sheet.showModal();
      const first = [...sheet.querySelectorAll("input:not([type=hidden]), select, textarea")].find((i) => i.offsetParent);
      if (first) first.focus();
      return;
    }
    const item = element("li", "bot");
    item.append(mark.cloneNode(true), views_of(message));
    if (message.public) item.lastChild.prepend(element("p", "note", "Everybody in the channel sees:"));
    if (message.channel) {
      item.lastChild.prepend(element("p", "note", `In the channel ${message.channel}:`));
      item.dataset.channel = message.channel;
    }
    const before = message.mark ? talk.querySelector(`li.bot[data-mark="${message.mark}"]`) : null;
    let from = pressed && pressed.closest("li.bot"); // what was pressed in a channel stays; the answer is private
    if (from && !from.isConnected) from = talk.querySelector(`li.bot[data-mark="${from.dataset.mark}"]`); // replaced since
    const old = message.update && from && !from.dataset.channel ? from : before;
    const mark_kept = message.mark || (old && old.dataset.mark);
    if (mark_kept) item.dataset.mark = mark_kept;
    item.dataset.summary = message.summary;
    if (old && !pressed) {
      old.replaceWith(item); // it changes where it stands; whoever reads on is not moved
    } else if (old && old === from) {
      const at = talk.scrollTop;
      old.replaceWith(item);
      item.tabIndex = -1;
      item.focus({ preventScroll: true });
      const unfolded = old.dataset.summary === message.summary; // the same card, with more or less of it shown
      if (unfolded) talk.scrollTop = at;
      else item.scrollIntoView({ block: "nearest" });
      if (!unfolded && item.getBoundingClientRect().top < talk.getBoundingClientRect().top) item.scrollIntoView({ block: "start" });
    } else {
      talk.append(item);
      bottom(item);
    }
  }

  function bottom(item) {
    const before = item.previousElementSibling;
    const top = before && before.classList.contains("me") ? before : item; // the question stays in sight
    top.scrollIntoView({ block: "start", behavior: reduced() ? "auto" : "smooth" });
  }

  const reduced = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function failed(words) {
    told.textContent = words;
    const item = element("li", "bot");
    item.append(mark.cloneNode(true), element("p", "bubble wrong", words));
    talk.append(item);
    bottom(item);
  }

  // Asking

  const nonce = () => crypto.randomUUID();

  async function send(path, body, pressed) {
    const waiting = element("li", "bot waiting");
    waiting.append(mark.cloneNode(true), element("p", "bubble", "…"));
    if (!pressed) talk.append(waiting);
    if (pressed) pressed.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Redfirst-Page": page },
        body: JSON.stringify({ person, nonce: nonce(), ...body }),
      });
      const reply = await response.json();
      waiting.remove();
      if (reply.error) failed(reply.error);
      else if (!reply.messages.length) told.textContent = "That was done already.";
      for (const message of reply.messages || []) answered(message, pressed);
      return response.ok;
    } catch {
      waiting.remove();
      failed("The demo does not answer. Is it still running?");
      return false;
    } finally {
      if (pressed) pressed.removeAttribute("aria-busy");
    }
  }

  function ask(text) {
    said(text);
    return send("/ask", { text });
  }

  function values_of(thing) {
    return JSON.parse(thing.dataset.values || "{}");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.ask) {
      event.preventDefault();
      ask(button.dataset.ask);
    } else if ("close" in button.dataset) {
      sheet.close();
    } else if (button.dataset.route && button.getAttribute("aria-busy") !== "true") {
      event.preventDefault();
      send("/press", { route: button.dataset.route, values: values_of(button) }, button);
    }
  });

  sheet.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const values = values_of(form);
    for (const [name, value] of new FormData(form)) if (name !== "press") values[name] = String(value);
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    sheet.close();
    await send("/form", { route: form.dataset.route, values }, opener);
    document.getElementById("say").focus();
  });
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) sheet.close();
  });

  // The box, with the commands offered as one types

  const box = document.getElementById("ask");
  const say = document.getElementById("say");
  const list = document.getElementById("options");
  const options = [...list.children];
  const history = [];
  let chosen = -1;
  let back = 0;

  function offer(open) {
    const typed = say.value.trim().toLowerCase();
    let any = false;
    for (const option of options) {
      const fits = typed.startsWith("/") && option.dataset.ask.startsWith(typed) && option.dataset.ask !== typed;
      option.hidden = !fits;
      any = any || fits;
    }
    list.hidden = !(open && any);
    say.setAttribute("aria-expanded", String(!list.hidden));
    choose(-1);
  }

  function choose(number) {
    const shown = options.filter((option) => !option.hidden);
    chosen = shown.length && number >= 0 ? number % shown.length : -1;
    for (const option of options) option.setAttribute("aria-selected", "false");
    if (chosen < 0) {
      say.removeAttribute("aria-activedescendant");
      return;
    }
    shown[chosen].setAttribute("aria-selected", "true");
    shown[chosen].scrollIntoView({ block: "nearest" });
    say.setAttribute("aria-activedescendant", shown[chosen].id);
  }

  function take(option) {
    say.value = option.dataset.ask;
    offer(false);
    say.focus();
  }

  say.addEventListener("input", () => offer(true));
  say.addEventListener("blur", () => setTimeout(() => offer(false), 150));
  list.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[role=option]");
    event.preventDefault();
    if (option) take(option);
  });
  say.addEventListener("keydown", (event) => {
    const shown = options.filter((option) => !option.hidden);
    if (!list.hidden && event.key === "ArrowDown") choose(chosen + 1);
    else if (!list.hidden && event.key === "ArrowUp") choose(chosen < 1 ? shown.length - 1 : chosen - 1);
    else if (!list.hidden && (event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(shown[chosen]);
    else if (!list.hidden && event.key === "Escape") offer(false);
    else if (list.hidden && event.key === "ArrowUp" && history.length) say.value = history[--back < 0 ? (back = 0) : back];
    else return;
    event.preventDefault();
  });
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = say.value.trim();
    if (!text) return;
    history.push(text);
    back = history.length;
    say.value = "";
    offer(false);
    ask(text);
  });

  // What the bot says by itself

  const events = new EventSource(`/events?person=${person}&token=${encodeURIComponent(page)}`);
  events.onmessage = (event) => answered(JSON.parse(event.data));
}
