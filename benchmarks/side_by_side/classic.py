"""What is used without us: one Flask file that reads the CSV for each request, and takes the first row that fits.

Written anew from what such rules do, by the means that they have: netaddr for every row, until one fits. uWSGI runs it,
nginx stands in front. The file is named by ROWS.
"""

# mypy: ignore-errors
# It runs in the system's Python, with its Flask.

import csv
import os

from flask import Flask, jsonify, request
from netaddr import IPAddress, IPNetwork

app = Flask(__name__)


@app.route("/policy/v1/participant/location")
def locate():  # noqa: ANN201  as such files are
    """Where the caller's media is hosted."""
    if request.args.get("protocol", "") != "mssip":
        return jsonify({"status": "policy.reason.no.mssip - Not providing policy for this call"})
    address = request.args.get("ms-subnet", "")
    with open(os.environ["ROWS"], newline="") as file:  # noqa: PTH123  as above
        for location, primary, secondary, subnet in csv.reader(file):
            if IPAddress(address) in IPNetwork(subnet):
                result = {
                    "location": location,
                    "primary_overflow_location": primary,
                    "secondary_overflow_location": secondary,
                }
                reason = f"Sending MSSIP call to location {location}"
                return jsonify({"status": "success", "policy.reason.matched": reason, "result": result})
    return jsonify({"status": "policy.reason.no.subnetmatch - No matching subnet"})
