"use strict";
// One sound at a time, a line that moves over its spectrogram, and a click on the picture to go there.
const players = [...document.querySelectorAll("audio")];
for (const player of players) {
  const seen = player.parentElement.querySelector(".seen");
  const line = seen.querySelector("i");
  const follow = () => {
    line.style.left = `${(100 * player.currentTime) / (player.duration || 1)}%`;
    if (!player.paused) requestAnimationFrame(follow);
  };
  player.addEventListener("play", () => {
    for (const other of players) if (other !== player) other.pause();
    seen.classList.add("on");
    follow();
  });
  player.addEventListener("seeked", follow);
  player.addEventListener("ended", () => seen.classList.remove("on"));
  seen.addEventListener("click", (event) => {
    const box = seen.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const start = () => {
      player.currentTime = share * player.duration;
      player.play();
    };
    if (player.readyState > 0) start();
    else {
      player.addEventListener("loadedmetadata", start, { once: true });
      player.load();
    }
  });
}
