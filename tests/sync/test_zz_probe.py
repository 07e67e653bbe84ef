import time, logging
from datetime import date, datetime, timedelta
import pytest
from certdash.models import *
from certdash.sandbox import *
from certdash.sandbox.scenarios import SCENARIOS, Misbehaving
from certdash.sync.run import sync_app
from certdash.falkor import client
from tests.sync.truth import *
from tests.sync.vendor import new_app
WORLD=World(date(2026,3,2),160,seed=1)
T1=datetime(2026,3,2,12,tzinfo=ZONE); T2=T1+timedelta(days=10); T3=T2+timedelta(days=2)
GROUPS=["Engineering","Sales & Partners"]

def test_all(db, settings, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 0.02)
    from django.db import transaction
    clock=Clock(T1); stage=Misbehaving(SandboxApp(WORLD,clock))
    settings.UPSTREAM_MAX_BYTES=2*2**20
    with running_server(stage) as url:
        truth=Truth(WORLD,DEMO.app_id,url)
        app=new_app(url,token=DEMO.token,groups=GROUPS,app_id=DEMO.app_id)
        def sync(t):
            clock.frozen=t
            s=time.time(); r=sync_app(app,clock=lambda:t); e=time.time()-s
            return r,e
        for name,sc in SCENARIOS.items():
            for empty in (False,True):
                sid=transaction.savepoint()
                out=[]
                try:
                    if not empty:
                        r,e=sync(T1); out.append(round(e,3)); assert_true(app,truth,T1)
                    before=stored_facts(app)
                    stage.play(sc)
                    settings.UPSTREAM_DEADLINE=0.4 if name in SLOW else 600
                    for k in range(3 if "flap" in name or "time" in name[-4:] or "stuck" in name else 1):
                        r,e=sync(T2)
                        now=stored_facts(app); t=Counter(truth.facts(T2))
                        rows="before" if now==before else "truth" if now==t else f"mixed strange={len(now-before-t)} lacking={len(t-now)}"
                        out+=[round(e,3), r.status, rows, dict(rej=r.rejected,rep=r.repaired,miss=r.missing,mm=r.missing_members,w=r.withdrawn,c=r.created,ch=r.changed,st=r.stories,j=r.joined,l=r.left,calls=stage.calls), r.message, r.vendor_message[:80], [f"{x.path}: {x.reason} [{x.excerpt[:40]}]" for x in r.rejections.all()][:8]]
                    stage.play(None)
                    settings.UPSTREAM_DEADLINE=600
                    r,e=sync(T3); out+=["FINAL",round(e,3),r.status,r.returned,r.withdrawn,r.missing,r.missing_members]
                    try: assert_true(app,truth,T3)
                    except AssertionError as err: out.append("NOT TRUE "+str(err)[:200])
                    r,e=sync(T3); out+=[r.status]
                except BaseException as err:
                    import traceback; out.append("EXC "+traceback.format_exc()[-600:])
                finally:
                    transaction.savepoint_rollback(sid)
                print("#",name,"EMPTY" if empty else "STORED"); 
                for o in out: print("     ",o)
        stage.stop()
SLOW={"silent","stalled","length-immense","dripping-status","dripping-headers","dripping-body","dripping-chunks","endless-headers","groups-silent"}
