def test_a(finished_study):
    import time
    t=time.time()
    assert finished_study.dry_run().jobs == set()
    print(time.time()-t)
    t=time.time()
    finished_study.edit("experiments/lstm.yaml", {"model.hidden": 9})
    o= finished_study.dry_run()
    print(time.time()-t)
    print(o.jobs)
    o= finished_study.dry_run("--quiet","all")
    print(o)
    o= finished_study.run_with_stub(fails="train")
    print(o)
def test_b(new_study):
    print(len(new_study.dry_run().jobs), new_study.dry_run().jobs)
