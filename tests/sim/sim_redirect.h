/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Redirects: where replies send a job, and what has to come of that. A hop asks for "/G.L/~K", the
 * first part of its job's own path and the key of the request that was redirected, whoever is
 * asked: so that it is known whose hop it is.
 */

#include "sim_judge.h"
#include "sim_model.h"

/* Make a redirect of a reply: perhaps. */
void sim_redirect_draw(struct sim_try *try);

/* Its Location. */
const char *sim_redirect_location(const struct sim_try *try);

/* The request whose reply led to that target; NULL: it is no hop. */
struct sim_try *sim_redirect_from(const char *target);

/* A hop is as its redirect wants it. */
void sim_redirect_check(const struct sim_try *try);

/* The first request of a chain; the last one that was sent, as far as that is known; where it goes
 * from there: what the reply leads to, if it is a redirect that has come. */
struct sim_try *sim_redirect_first(struct sim_try *try);
struct sim_try *sim_redirect_last(struct sim_try *try);
const struct sim_origin *sim_redirect_next(const struct sim_node *node, const struct sim_try *try);

/* True where a job that gets this reply goes on elsewhere, or is rejected for it. */
bool sim_redirect_is_followed(const struct sim_node *node, const struct sim_try *try);

/* What it is rejected for then; FAULT_NONE: it goes on. */
enum fault_code sim_redirect_code(const struct sim_node *node, const struct sim_try *try);

/* True where the hops of a record that has no response led to that request, or on from it. */
bool sim_redirect_explains(const struct sim_record *record, const struct sim_try *try);

/* What a record says of the hops before its response. */
void sim_redirect_check_record(const struct sim_record *record, const struct sim_try *try);
