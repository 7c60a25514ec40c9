/* SPDX-License-Identifier: MIT */
/*
 * Hides what is not looked for. The words of the filter must all be found in a job's name, result,
 * code, message or URL; "kind" is one of the classes that jobs have. What is looked for stands in
 * the address behind "#find=", so that it can be sent to somebody else.
 */
'use strict';

(() => {
	const ROW = 22;
	const form = document.getElementById('filter');
	const text = document.getElementById('filter-text');
	const kind = document.getElementById('filter-kind');
	const count = document.getElementById('filter-count');
	const arrows = [...document.querySelectorAll('.arrows g')];
	const overlays = [...document.querySelectorAll('.over')];
	const jobs = [];
	let frame = 0;

	/* A job's row, what else is about it, and the words it is found by. */
	for (const row of document.querySelectorAll('.lanes tbody tr')) {
		const cells = [...row.cells].slice(0, 2);

		jobs.push({row, others: [], words: cells.map((cell) => cell.textContent)});
	}
	for (const other of document.querySelectorAll('[data-row]')) {
		const job = jobs[Number(other.dataset.row)];
		const words = other.querySelector('summary') || other;

		job.others.push(other);
		job.words.push(words.textContent);
	}
	for (const job of jobs)
		job.words = job.words.join(' ').toLowerCase();

	const matches = (job, words) =>
		(!kind.value || job.row.classList.contains(kind.value)) &&
		words.every((word) => job.words.includes(word));

	/* Rows moved up; where each of them is now. */
	const move = (places, shown) => {
		for (const overlay of overlays)
			overlay.setAttribute('height', shown * ROW);
		for (const arrow of arrows) {
			const from = places[arrow.dataset.from];
			const to = places[arrow.dataset.to];
			const [along, down] = arrow.children;
			const middle = from * ROW + ROW / 2;

			arrow.toggleAttribute('hidden', from < 0 || to < 0);
			along.setAttribute('y1', middle);
			along.setAttribute('y2', middle);
			down.setAttribute('y1', middle);
			down.setAttribute('y2', to * ROW + ROW / 2 + (to > from ? -7 : 7));
		}
	};

	const apply = () => {
		const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
		const places = [];
		let shown = 0;

		frame = 0;
		for (const job of jobs) {
			const found = matches(job, words);

			job.row.hidden = !found;
			for (const other of job.others)
				other.hidden = !found;
			places.push(found ? shown++ : -1);
		}
		for (const table of document.querySelectorAll('.jobs'))
			table.closest('section').hidden =
				![...table.tBodies[0].rows].some((row) => !row.hidden);
		move(places, shown);
		count.textContent = words.length || kind.value ?
			shown + ' of ' + jobs.length + ' rows' : '';
	};

	/* Once for all that is typed before the next picture. */
	const later = () => {
		frame = frame || requestAnimationFrame(apply);
	};

	/* "#find=WORDS" or "#j12", which is a record and is opened. */
	const follow = () => {
		const hash = location.hash.slice(1);
		const target = document.getElementById(hash);

		if (target && target.tagName === 'DETAILS') {
			target.hidden = false;
			target.open = true;
			target.scrollIntoView();
		} else if (hash.startsWith('find=')) {
			const [words, chosen] = hash.slice(5).split('&kind=');

			try {
				text.value = decodeURIComponent(words);
			} catch {
				text.value = words;
			}
			kind.value = chosen || '';
			apply();
		}
	};

	form.hidden = false;
	form.addEventListener('submit', (event) => event.preventDefault());
	text.addEventListener('input', later);
	kind.addEventListener('change', later);
	addEventListener('hashchange', follow);
	follow();
})();
