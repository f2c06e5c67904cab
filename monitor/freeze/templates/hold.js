(function(){
var f=document.getElementById("choose"),b=document.getElementById("go"),s=document.getElementById("said"),t=0;
if(!f||!b)return;
var hold=b.dataset.hold,on=b.dataset.on;
b.type="button";b.textContent=hold;b.appendChild(document.createElement("i"));
function down(){if(t)return;b.classList.add("held");s.textContent=on;t=setTimeout(function(){document.getElementById("step").value="freeze";f.submit()},3000)}
function up(){if(!t)return;clearTimeout(t);t=0;b.classList.remove("held");s.textContent=hold}
b.addEventListener("pointerdown",function(e){if(e.button===0){b.setPointerCapture(e.pointerId);down()}});
["pointerup","pointercancel","blur"].forEach(function(n){b.addEventListener(n,up)});
b.addEventListener("keydown",function(e){if(e.key===" "||e.key==="Enter"){e.preventDefault();down()}});
b.addEventListener("keyup",up);
b.addEventListener("contextmenu",function(e){e.preventDefault()});
})();
