# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For test cases that look at checmated's figures. Included after container.sh.

metrics=/run/checmate/metrics

# figures_on: checmated is started with the socket for its figures.
figures_on() {
	systemctl stop checmated.service 2>/dev/null
	systemctl start checmated-metrics.socket checmated.service
}

figures_off() {
	systemctl stop checmated.service checmated-metrics.socket 2>/dev/null
}

# figures: all of them.
figures() {
	curl -sSf --max-time 60 --unix-socket "$metrics" http://localhost/metrics
}

# figure NAME: the sum of the samples of that name.
figure() {
	figures | awk -v name="$1" '
		{ key = $1; sub(/[{].*/, "", key) }
		key == name { sum += $NF; found = 1 }
		END { if (!found) exit 1; printf "%.0f\n", sum }'
}

# sample TEXT: what the sample with that name and these labels says.
sample() {
	figures | awk -v key="$1" '$1 == key { print $2 }'
}

main_pid() {
	systemctl show --property=MainPID --value checmated.service
}
