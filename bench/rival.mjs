// SPDX-License-Identifier: MIT
/*
 * node rival.mjs DIRECTORY HOW GRAPH: runs a graph document of settle's with Node's own fetch.
 *
 * HOW: `better-all`, the npm package in DIRECTORY, which finds the order by itself; or `levels`,
 * Promise.all over one level of the graph after the other, as it is done by hand. Of the document
 * it knows `jobs` as an array, with `url` and `after`. It prints what it took:
 *
 *   {"wall_ms":W,"jobs":N}
 */
import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'

const [, , directory, how, path] = process.argv
const {jobs} = JSON.parse(readFileSync(path, 'utf8'))

async function request(url) {
	const response = await fetch(url)
	if (!response.ok)
		throw new Error(`${response.status} of ${url}`)
	return response.json()
}

async function betterAll() {
	const {all} = createRequire(`${directory}/package.json`)('better-all')
	const tasks = {}
	jobs.forEach(({url, after = []}, i) => {
		tasks[i] = async function () {
			await Promise.all(after.map((id) => this.$[id]))
			return request(url)
		}
	})
	return Object.keys(await all(tasks)).length
}

async function levels() {
	const level = []
	const rows = []
	jobs.forEach(({after = []}, i) => {
		level[i] = after.reduce((most, id) => Math.max(most, level[id] + 1), 0)
		;(rows[level[i]] ??= []).push(i)
	})
	let n = 0
	for (const row of rows)
		n += (await Promise.all(row.map((i) => request(jobs[i].url)))).length
	return n
}

const begin = performance.now()
const n = await {'better-all': betterAll, levels}[how]()
console.log(JSON.stringify({wall_ms: performance.now() - begin, jobs: n}))
// Kept connections would keep us.
process.exit(n === jobs.length ? 0 : 1)
