"""Secrets in all the forms in which a node may hold them; each carries the mark that is searched for afterwards."""

from __future__ import annotations

MARK = "PLANTED"

XML = f"""<cib admin_epoch="0" epoch="3" num_updates="1"><configuration><resources>
<primitive id="st" class="stonith" type="fence_ipmilan"><instance_attributes id="st-ia">
<nvpair id="st-passwd" name="passwd" value="{MARK}01"/><nvpair value="{MARK}02" name="snmp_priv_passwd" id="b"/>
<nvpair id="c" name="secret_key"
   value="{MARK}03 &quot;{MARK}03"/><nvpair id='d' name='token' value='{MARK}04'/>
<nvpair id="e" name="options" value="user=x,password={MARK}05,vers=3"/>
<lrm_rsc_op id="op" op-secure-params="  password passwd  " op-secure-digest="71358b2f7e18971b6d4b2d045ca34f79"/>
<nvpair id="f" name="ipaddr" value="192.0.2.9"/></instance_attributes></primitive>
</resources></configuration></cib>
"""

LINES = rf"""Nov 22 10:00:00 n1 app: password={MARK}10 user=admin
Nov 22 10:00:00 n1 app: passwd="{MARK}11 with {MARK}11" other=1
Nov 22 10:00:00 n1 app: {{"password": "{MARK}12\" {MARK}12", "retries": 3}}
Nov 22 10:00:00 n1 app: Executing: ipmitool -I lanplus -H 192.0.2.9 -U admin -P {MARK}13 -L ADMINISTRATOR
Nov 22 10:00:00 n1 sudo: root : COMMAND=/usr/sbin/pcs host auth n1 -u hacluster -p {MARK}14
Nov 22 10:00:00 n1 sudo: root : COMMAND=/usr/sbin/pcs stonith create f fence_ilo 'password={MARK}15 {MARK}15' ip=1
Nov 22 10:00:00 n1 app: fence_vmware_rest --password {MARK}16 --username x; --password='{MARK}17'
Nov 22 10:00:00 n1 pacemaker-based [3] (cib_perform_op) info: ++ <nvpair id="a" name="passwd" value="{MARK}18"/>
+  /cib/configuration/resources/primitive[@id='st']/instance_attributes[@id='i']/nvpair[@id='i-passwd']:  @value={MARK}19
Nov 22 10:00:00 n1 app: https://admin:{MARK}20@host/api?token={MARK}21&x=1
Nov 22 10:00:00 n1 app: Authorization: Bearer {MARK}22
Nov 22 10:00:00 n1 app: curl -u root:{MARK}23 https://host
Nov 22 10:00:00 n1 app: AWS_SECRET_ACCESS_KEY={MARK}24 PGPASSWORD='{MARK}25'
Nov 22 10:00:00 n1 app: echo hacluster:{MARK}26 | chpasswd
Nov 22 10:00:00 n1 app: OCF_RESKEY_replication_passwd={MARK}27 API Key: {MARK}28
Nov 22 10:00:00 n1 app: mysql -uroot -p{MARK}29 -e status; snmpget -v3 -A {MARK}30 -X {MARK}31
-----BEGIN RSA PRIVATE KEY-----
{MARK}32AAAAB3NzaC1yc2EAAAADAQABAAABgQ
-----END RSA PRIVATE KEY-----
	shared-secret "{MARK}33";
Nov 22 10:00:00 n1 pacemaker-attrd [3] (attrd_peer_update) notice: Setting db_password[n1]: {MARK}35 {MARK}35 -> {MARK}36 " {MARK}36 | from n2
Nov 22 10:00:00 n1 pacemaker-attrd [3] (x) notice: Setting db_password[n1] in instance_attributes: (unset) -> {MARK}37 | from n2
Nov 22 10:00:00 n1 pacemaker-attrd [3] (attrd_cib_callback) info: * Wrote db_password[n1]={MARK}38
Nov 22 10:00:00 n1 app: <attributes ip="192.0.2.9" passwd="{MARK}34" login="x"/>
"""

BYTES = ",".join(str(byte) for byte in f"password={MARK}40\x1b[0m".encode())
JOURNAL = (
    rf'{{"__REALTIME_TIMESTAMP":"1","_HOSTNAME":"n1","MESSAGE":"<nvpair name=\"passwd\" value=\"{MARK}41\"/> pw"}}'
    "\n"
    rf'{{"__REALTIME_TIMESTAMP":"2","_HOSTNAME":"n1","MESSAGE":"password=\"{MARK}42\" x"}}' + "\n"
    rf'{{"__REALTIME_TIMESTAMP":"3","_HOSTNAME":"n1","MESSAGE":[{BYTES}]}}' + "\n"
    rf'{{"__REALTIME_TIMESTAMP":"7","MESSAGE":"Setting db_password[n1]: (unset) -> {MARK}44 \" {MARK}44","_HOSTNAME":"n1"}}'
    "\n"
    r'{"__REALTIME_TIMESTAMP":"4","_HOSTNAME":"n1","MESSAGE":"-----BEGIN EC PRIVATE KEY-----"}' + "\n"
    rf'{{"__REALTIME_TIMESTAMP":"5","_HOSTNAME":"n1","MESSAGE":"{MARK}43"}}' + "\n"
    r'{"__REALTIME_TIMESTAMP":"6","_HOSTNAME":"n1","MESSAGE":"-----END EC PRIVATE KEY-----"}' + "\n"
)

CONF = f"""totem {{
    version: 2
    token: 10000
    token_coefficient: 650
    key: {MARK}50
}}
"""

HARMLESS = """Nov 22 10:00:00 n1 corosync[60]:   [TOTEM ] Token has not been received in 2250 ms
Nov 22 10:00:00 n1 corosync[60]:   [TOTEM ] A processor failed, forming new configuration: token timed out (3000ms), waiting 3600ms.
totem.token (u32) = 3000
Nov 22 10:00:00 [60] n1 corosync debug   [TOTEM ] totemsrp.c:message_handler_orf_token(4012): token retransmit
totem.token_retransmits_before_loss_const (u32) = 4
Nov 22 10:00:00 n1 sshd[4]: Failed password for root from 192.0.2.1 port 22 ssh2
Nov 22 10:00:00 n1 pacemaker-controld [5] (abort): notice: Result of start operation for vip on n1: ok | call=7 key=vip_start_0
Nov 22 10:00:00 n1 pacemaker-controld [5] (te): info: Initiating monitor with transition key 5:3:0:8e8a
Nov 22 10:00:00 n1 pacemaker-attrd [3] (attrd_peer_update) notice: Setting fail-count-web#monitor_10000[n1]: (unset) -> 1 | from n2
Nov 22 10:00:00 n1 pacemaker-fenced [5] (x): notice: Operation 'reboot' targeting n2 by n1 for pacemaker-controld.5@n1: OK
        addr    = 192.0.2.1
"""
