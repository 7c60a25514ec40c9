/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The report's style sheet and script as they stand in report.css and report.js, and their hashes
 * as a Content-Security-Policy wants them: "sha256-…". report_asset.py makes them at build time.
 */

extern const char report_asset_css[];
extern const char report_asset_css_hash[];
extern const char report_asset_js[];
extern const char report_asset_js_hash[];
